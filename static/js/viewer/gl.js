/**
 * Draws by WebGL2: 16-bit values through a 65,536-entry table, overlays as bits, all in one pass at canvas size.
 * Shrunken images are averaged over each screen pixel's footprint; enlarged ones are interpolated.
 */

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp usampler2DArray;
uniform usampler2D uValues;
uniform usampler2D uTable;
uniform usampler2DArray uMasks;
uniform sampler2D uStyles;
uniform vec2 uCanvas;
uniform vec3 uColumn;      // the column under a canvas position (x, y, 1) is its product with this
uniform vec3 uRow;
uniform vec2 uPlace;       // device pixels per image pixel, across and down the image
uniform vec2 uImage;      // columns, rows of the full image
uniform int uMaskCount;
uniform float uLine;       // device pixels per CSS pixel
out vec4 colour;

float value(ivec2 at, ivec2 size) {
  return float(texelFetch(uValues, clamp(at, ivec2(0), size - 1), 0).r);
}

float average(vec2 at, vec2 step, ivec2 size) {
  int n = int(clamp(ceil(max(step.x, step.y)), 1.0, 8.0));
  float total = 0.0;
  for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {
    vec2 inside = (vec2(float(j), float(i)) + 0.5) / float(n) - 0.5;
    total += value(ivec2(floor(at + inside * step)), size);
  }
  return total / float(n * n);
}

float interpolate(vec2 at, ivec2 size) {
  vec2 corner = at - 0.5;
  ivec2 low = ivec2(floor(corner));
  vec2 part = corner - floor(corner);
  float top = mix(value(low, size), value(low + ivec2(1, 0), size), part.x);
  float bottom = mix(value(low + ivec2(0, 1), size), value(low + ivec2(1, 1), size), part.x);
  return mix(top, bottom, part.y);
}

uint bits(vec2 at, int layer, ivec2 size) {
  ivec2 texel = ivec2(floor(at));
  if (any(lessThan(texel, ivec2(0))) || any(greaterThanEqual(texel, size))) return 0u;
  return texelFetch(uMasks, ivec3(texel, layer), 0).r;
}

uint footprint(vec2 at, vec2 step, int layer, ivec2 size) {
  int n = int(clamp(ceil(max(step.x, step.y)), 1.0, 4.0));
  uint any = 0u;
  for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {
    any |= bits(at + ((vec2(float(j), float(i)) + 0.5) / float(n) - 0.5) * step, layer, size);
  }
  return any;
}

uint eroded(vec2 at, vec2 reach, int layer, ivec2 size) {
  uint all = 0xffffffffu;
  for (int i = 0; i < 8; i++) {
    float turn = float(i) * 0.78539816;
    all &= bits(at + reach * vec2(cos(turn), sin(turn)), layer, size);
  }
  return all;
}

vec3 overlay(vec3 under, vec2 at, vec2 step) {
  ivec3 extent = textureSize(uMasks, 0);
  bool dash = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0) < 5.0;
  for (int layer = 0; layer < extent.z; layer++) {
    uint inside = footprint(at, step, layer, extent.xy);
    if (inside == 0u) continue;
    uint thin = eroded(at, 1.5 * uLine * step, layer, extent.xy);
    uint thick = eroded(at, 2.6 * uLine * step, layer, extent.xy);
    for (int b = 0; b < 32 && layer * 32 + b < uMaskCount; b++) {
      if ((inside >> b & 1u) == 0u) continue;
      vec4 tint = texelFetch(uStyles, ivec2(layer * 32 + b, 0), 0);
      vec4 how = texelFetch(uStyles, ivec2(layer * 32 + b, 1), 0);
      if (tint.a == 0.0) continue;
      uint core = how.b > 0.08 ? thick : thin;
      bool edge = (core >> b & 1u) == 0u && (how.a == 0.0 || dash);
      under = mix(under, tint.rgb, edge ? how.g : how.r);
    }
  }
  return under;
}

void main() {
  vec2 screen = vec2(gl_FragCoord.x, uCanvas.y - gl_FragCoord.y);
  vec2 at = vec2(dot(uColumn, vec3(screen, 1.0)), dot(uRow, vec3(screen, 1.0)));
  if (any(lessThan(at, vec2(0.0))) || any(greaterThanEqual(at, uImage))) {
    colour = vec4(0.0, 0.0, 0.0, 1.0);
    return;
  }
  ivec2 size = textureSize(uValues, 0);
  vec2 share = vec2(size) / uImage;
  vec2 step = share / uPlace;
  float found = max(step.x, step.y) > 1.0001 ? average(at * share, step, size) : interpolate(at * share, size);
  int stored = int(floor(found + 0.5));
  uint gray = texelFetch(uTable, ivec2(stored & 255, stored >> 8), 0).r >> 8;
  vec3 shade = vec3(float(gray) / 255.0);
  if (uMaskCount > 0) {
    vec2 maskShare = vec2(textureSize(uMasks, 0).xy) / uImage;
    shade = overlay(shade, at * maskShare, maskShare / uPlace);
  }
  colour = vec4(shade, 1.0);
}`;

const UNIFORMS = [
  "uValues", "uTable", "uMasks", "uStyles", "uCanvas", "uColumn", "uRow", "uPlace", "uImage", "uMaskCount", "uLine",
];

function compile(gl, type, source) {
  const shader = gl.createShader(type);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getShaderInfoLog(shader));
  }
  return shader;
}

function link(gl) {
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getProgramInfoLog(program));
  }
  return program;
}

export class WebGLRenderer {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (this.gl === null) throw new Error("no WebGL2");
    this.kept = {};
    this.#prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.#restore());
  }

  /** Called after a lost context is whole again, so that the owner draws. */
  onrestored = () => {};

  #prepare() {
    const { gl } = this;
    this.program = link(gl);
    this.place = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.textures = {};
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  #restore() {
    this.#prepare();
    for (const [upload, data] of Object.entries(this.kept)) this[upload](data);
    this.onrestored();
  }

  #texture(unit, target) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.deleteTexture(this.textures[unit] ?? null);
    this.textures[unit] = gl.createTexture();
    gl.bindTexture(target, this.textures[unit]);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  }

  #plane(unit, internal, format, type, columns, rows, data) {
    const { gl } = this;
    this.#texture(unit, gl.TEXTURE_2D);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, columns, rows, 0, format, type, data);
  }

  /** Whether an image of this size fits the graphics processor. */
  holds({ rows, columns }) {
    return Math.max(rows, columns) <= this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE);
  }

  setLevel(level) {
    const { gl } = this;
    this.kept.setLevel = level;
    this.#plane(0, gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, level.columns, level.rows, level.values);
  }

  setTable(table) {
    const { gl } = this;
    this.kept.setTable = table;
    this.#plane(1, gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, 256, 256, table);
  }

  setMasks(packed) {
    const { gl } = this;
    this.kept.setMasks = packed;
    const { layers, rows, columns } = packed ?? { layers: [new Uint32Array(1)], rows: 1, columns: 1 };
    this.maskCount = packed?.masks.length ?? 0;
    this.#texture(2, gl.TEXTURE_2D_ARRAY);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.R32UI, columns, rows, layers.length);
    layers.forEach((layer, depth) => {
      gl.texSubImage3D(
        gl.TEXTURE_2D_ARRAY, 0, 0, 0, depth, columns, rows, 1, gl.RED_INTEGER, gl.UNSIGNED_INT, layer,
      );
    });
  }

  /** Some rows of one layer changed: send those alone. */
  patchMasks({ layers, columns }, depth, { top, bottom }) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.textures[2]);
    gl.texSubImage3D(
      gl.TEXTURE_2D_ARRAY, 0, 0, top, depth, columns, bottom - top, 1, gl.RED_INTEGER, gl.UNSIGNED_INT,
      layers[depth].subarray(top * columns, bottom * columns),
    );
  }

  setStyles(bytes) {
    const { gl } = this;
    this.kept.setStyles = bytes;
    const data = bytes.length === 0 ? new Uint8Array(8) : bytes;
    this.#plane(3, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, data.length / 8, 2, data);
  }

  draw(transform, image) {
    const { gl, place, canvas } = this;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.useProgram(this.program);
    ["uValues", "uTable", "uMasks", "uStyles"].forEach((name, unit) => gl.uniform1i(place[name], unit));
    gl.uniform2f(place.uCanvas, canvas.width, canvas.height);
    const matrix = transform.toImageMatrix(image);
    gl.uniform3fv(place.uColumn, matrix.slice(0, 3));
    gl.uniform3fv(place.uRow, matrix.slice(3));
    gl.uniform2f(place.uPlace, transform.scale, transform.scale * image.aspect);
    gl.uniform2f(place.uImage, image.columns, image.rows);
    gl.uniform1i(place.uMaskCount, this.maskCount ?? 0);
    gl.uniform1f(place.uLine, devicePixelRatio);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
