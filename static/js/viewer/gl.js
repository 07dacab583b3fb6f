/**
 * Draws by WebGL2 in three steps, each done again only when what it is made from has changed: the 16-bit values under
 * each screen pixel, the overlays, and the picture, which looks the values up in a table and lays the overlays over
 * it. A window that is dragged repeats the last step alone. Shrunken images are averaged over each screen pixel's
 * footprint; enlarged ones are interpolated.
 */

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp usampler2DArray;
`;

/** Where a fragment lies in the image, in pixels of it; `isOutside` where there is none. */
const PLACE = `
uniform vec2 uCanvas;
uniform vec3 uColumn;      // the column under a canvas position (x, y, 1) is its product with this
uniform vec3 uRow;
uniform vec2 uPlace;       // device pixels per image pixel, across and down the image
uniform vec2 uImage;       // columns, rows of the full image
vec2 place() {
  vec3 screen = vec3(gl_FragCoord.x, uCanvas.y - gl_FragCoord.y, 1.0);
  return vec2(dot(uColumn, screen), dot(uRow, screen));
}
bool isOutside(vec2 at) {
  return any(lessThan(at, vec2(0.0))) || any(greaterThanEqual(at, uImage));
}
`;

const VALUES = `${HEAD}${PLACE}
uniform usampler2D uValues;
out uvec4 found;           // the value, and 1 inside the image

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

void main() {
  vec2 at = place();
  found = uvec4(0u);
  if (isOutside(at)) return;
  ivec2 size = textureSize(uValues, 0);
  vec2 share = vec2(size) / uImage;
  vec2 step = share / uPlace;
  float here = max(step.x, step.y) > 1.0001 ? average(at * share, step, size) : interpolate(at * share, size);
  found = uvec4(uint(floor(here + 0.5)), 1u, 0u, 0u);
}`;

const OVERLAY = `${HEAD}${PLACE}
uniform usampler2DArray uMasks;
uniform sampler2D uStyles;
uniform int uMaskCount;
uniform float uLine;       // device pixels per CSS pixel
out vec4 tint;             // premultiplied

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

vec4 overlay(vec2 at, vec2 step) {
  vec4 under = vec4(0.0);
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
      under = mix(under, vec4(tint.rgb, 1.0), edge ? how.g : how.r);
    }
  }
  return under;
}

void main() {
  vec2 at = place();
  tint = vec4(0.0);
  if (isOutside(at)) return;
  vec2 share = vec2(textureSize(uMasks, 0).xy) / uImage;
  tint = overlay(at * share, share / uPlace);
}`;

const PICTURE = `${HEAD}
uniform usampler2D uFound;
uniform usampler2D uTable;
uniform sampler2D uTint;
out vec4 colour;

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  uvec2 found = texelFetch(uFound, at, 0).rg;
  uint gray = found.g * (texelFetch(uTable, ivec2(int(found.r) & 255, int(found.r) >> 8), 0).r >> 8);
  vec4 tint = texelFetch(uTint, at, 0);
  colour = vec4(mix(vec3(float(gray) / 255.0), tint.rgb / max(tint.a, 1.0 / 255.0), tint.a), 1.0);
}`;

/** Texture units. */
const UNITS = { uValues: 0, uTable: 1, uMasks: 2, uStyles: 3, uFound: 4, uTint: 5 };

function compile(gl, type, source) {
  const shader = gl.createShader(type);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getShaderInfoLog(shader));
  }
  return shader;
}

function link(gl, fragment) {
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, fragment));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getProgramInfoLog(program));
  }
  const places = {};
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) ?? 0;
  gl.useProgram(program);
  for (let index = 0; index < count; index += 1) {
    const { name } = gl.getActiveUniform(program, index);
    places[name] = gl.getUniformLocation(program, name);
    if (name in UNITS) gl.uniform1i(places[name], UNITS[name]);
  }
  return { program, places };
}

export class WebGLRenderer {
  constructor(canvas, { isSoftwareFine = true } = {}) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", {
      alpha: false, antialias: false, preserveDrawingBuffer: true, failIfMajorPerformanceCaveat: !isSoftwareFine,
    });
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
    this.steps = { picture: link(gl, PICTURE), values: link(gl, VALUES), overlay: null };
    this.textures = {};
    this.targets = {};
    this.done = {};
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
    this.done.values = null;
    this.#plane(0, gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, level.columns, level.rows, level.values);
  }

  setTable(table) {
    const { gl } = this;
    const isFirst = this.textures[UNITS.uTable] === undefined;
    this.kept.setTable = table;
    if (isFirst) {
      this.#plane(UNITS.uTable, gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, 256, 256, table);
      return;
    }
    gl.activeTexture(gl.TEXTURE0 + UNITS.uTable);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 256, 256, gl.RED_INTEGER, gl.UNSIGNED_SHORT, table);
  }

  setMasks(packed) {
    const { gl } = this;
    this.kept.setMasks = packed;
    const { layers, rows, columns } = packed ?? { layers: [new Uint32Array(1)], rows: 1, columns: 1 };
    this.maskCount = packed?.masks.length ?? 0;
    this.done.overlay = null;
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
    this.done.overlay = null;
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
    this.isCovered = bytes.subarray(0, bytes.length / 2).some((part, index) => index % 4 === 3 && part > 0);
    this.done.overlay = null;
    const data = bytes.length === 0 ? new Uint8Array(8) : bytes;
    this.#plane(3, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, data.length / 8, 2, data);
  }

  draw(transform, image) {
    const { gl, canvas } = this;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, canvas.width, canvas.height);
    const matrix = transform.toImageMatrix(image);
    const view = { matrix, across: transform.scale, down: transform.scale * image.aspect, image };
    const key = [canvas.width, canvas.height, ...matrix].join();
    this.#target("values", UNITS.uFound, gl.RG16UI, gl.RG_INTEGER, gl.UNSIGNED_SHORT);
    this.#target("overlay", UNITS.uTint, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE);
    this.#step("values", key, view);
    // Nothing to draw over it is one state, whatever the place.
    const isCovered = this.maskCount > 0 && this.isCovered === true;
    this.#step("overlay", isCovered ? key : "none", view, isCovered);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.useProgram(this.steps.picture.program);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** A texture as large as the canvas that a step draws into, and the picture reads. */
  #target(name, unit, internal, format, type) {
    const { gl, canvas, targets } = this;
    const size = `${canvas.width} ${canvas.height}`;
    if (targets[name]?.size === size) return;
    this.#plane(unit, internal, format, type, canvas.width, canvas.height, null);
    const frame = targets[name]?.frame ?? gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.textures[unit], 0);
    targets[name] = { size, frame };
    this.done[name] = null;
  }

  /** Do a step for a view, unless it is done; or leave its target empty. */
  #step(name, key, { matrix, across, down, image }, isWanted = true) {
    const { gl, canvas } = this;
    if (this.done[name] === key) return;
    this.done[name] = key;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.targets[name].frame);
    if (!isWanted) {
      gl.clearBufferfv(gl.COLOR, 0, [0, 0, 0, 0]);
      return;
    }
    this.steps[name] ??= link(gl, OVERLAY); // compiled when there is something to lay over the image
    const { program, places } = this.steps[name];
    gl.useProgram(program);
    gl.uniform2f(places.uCanvas, canvas.width, canvas.height);
    gl.uniform3fv(places.uColumn, matrix.slice(0, 3));
    gl.uniform3fv(places.uRow, matrix.slice(3));
    gl.uniform2f(places.uPlace, across, down);
    gl.uniform2f(places.uImage, image.columns, image.rows);
    if (name === "overlay") {
      gl.uniform1i(places.uMaskCount, this.maskCount);
      gl.uniform1f(places.uLine, devicePixelRatio);
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
