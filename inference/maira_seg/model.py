"""MAIRA-Seg: a frozen encoder, a projector, the segmentation tokens extractor, and a Llama that reads
it all."""

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from inference.maira_seg import mask_extractor, projector
from inference.maira_seg.config import LanguageConfig, MairaSegConfig
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import PRESENT, STATES, PromptInputs, PromptLayout
from inference.maira_seg.vision import VisionEncoder


def build_language_model(config: LanguageConfig) -> LlamaForCausalLM:
    scaling = {"rope_type": "linear", "factor": config.rope_scaling, "rope_theta": config.rope_theta}
    plain = {"rope_type": "default", "rope_theta": config.rope_theta}
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.feed_forward,
            num_hidden_layers=config.depth,
            num_attention_heads=config.heads,
            max_position_embeddings=config.positions,
            rms_norm_eps=config.norm_eps,
            rope_parameters=plain if config.rope_scaling == 1 else scaling,
            tie_word_embeddings=config.tied_embeddings,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
        )
    )


class SlotEmbeddings(nn.Module):
    """What stands in a slot without a mask to show, and which image a token belongs to. Learned."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        width = config.language.width
        self.state = nn.Embedding(len(STATES), 2 * width)
        self.image = nn.Embedding(config.max_images, width)
        nn.init.normal_(self.state.weight, std=0.02)
        nn.init.zeros_(self.image.weight)

    def forward(self, tokens: Tensor, states: Tensor, shown: tuple[bool, bool] = (True, True)) -> Tensor:
        """tokens (B, I, M, 2, H), states (B, I, M) -> the same shape, tokens of empty slots replaced, and
        of the others those that are not to be shown (mask token, spatial token)."""
        instead = self.state(states).unflatten(-1, (2, tokens.shape[-1]))
        which = torch.tensor(shown, device=states.device)
        there = (states == PRESENT)[..., None] & which
        filled = torch.where(there[..., None], tokens, instead)
        return filled + self.of_image(tokens.shape[1])[:, None, None]

    def of_image(self, images: int) -> Tensor:
        """(I, H): the index embedding of the first I images."""
        assert images <= self.image.num_embeddings, f"{images} images, at most {self.image.num_embeddings}"
        return self.image.weight[:images]


class MairaSeg(nn.Module):
    """The whole model. The encoder is frozen; projector, extractor, slots and language model train."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionEncoder(config.vision).freeze()
        self.projector = projector.Projector(config)
        self.extractor = mask_extractor.MaskExtractor(config)
        self.slots = SlotEmbeddings(config)
        self.language_model = build_language_model(config.language)

    def train(self, mode: bool = True) -> "MairaSeg":
        super().train(mode)
        self.vision.eval()
        return self

    def look(self, features: Tensor, masks: Tensor, states: Tensor) -> PromptInputs:
        """Encoder features (B, L, 1+N, C) and masks (B, M, S, S) of one image per study -> what the
        prompt shows."""
        grid = self.config.vision.grid
        patches = projector.pool_patches(features[:, -1], grid, self.config.pooled_grid)
        pooled = mask_extractor.pool_under(features, masks, grid)
        shrunk = mask_extractor.shrink_masks(masks, self.config.spatial_size)
        return PromptInputs(patches[:, None], pooled[:, None], shrunk[:, None], states[:, None])

    def embed(self, ids: Tensor, image: int, patches: Tensor) -> Tensor:
        """ids (B, P) embedded (B, P, H), with the patches (B, I, T, C) of I images, projected, at the places
        whose id is `image`."""
        embedded = self.language_model.get_input_embeddings()(ids)
        images = self.projector(patches) + self.slots.of_image(patches.shape[1])[:, None]
        return _fill(embedded, ids == image, images)

    def prompt(self, layout: PromptLayout, inputs: PromptInputs) -> Tensor:
        """The embedded prompt (B, P, H): placeholders filled with image, mask and spatial tokens."""
        ids = layout.ids(inputs.states, inputs.languages, inputs.context)
        embedded = self.embed(ids, layout.image, inputs.patches)
        tokens = self.extractor(inputs.pooled.flatten(0, 1), inputs.shrunk.flatten(0, 1))
        tokens = self.slots(tokens.unflatten(0, inputs.states.shape[:2]), inputs.states, inputs.tokens)
        embedded = _fill(embedded, ids == layout.mask, tokens[..., 0, :])
        return _fill(embedded, ids == layout.position, tokens[..., 1, :])

    def forward(self, layout: PromptLayout, inputs: PromptInputs, report: Tensor) -> Tensor:
        """Logits (B, R, vocabulary) for each token of `report` (B, R), given the prompt and the tokens
        before it."""
        prompt = self.prompt(layout, inputs)
        words = self.language_model.get_input_embeddings()(report[:, :-1])
        embedded = torch.cat([prompt, words], dim=1)
        kept = report.shape[1]
        return self.language_model(inputs_embeds=embedded, use_cache=False, logits_to_keep=kept).logits


def _fill(embedded: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Values in the places, in order: as many as there are places."""
    assert places.sum() * values.shape[-1] == values.numel(), f"{values.shape} for {int(places.sum())} places"
    return embedded.masked_scatter(places[..., None], values.reshape(-1, values.shape[-1]).to(embedded.dtype))


def layout_for(config: MairaSegConfig, processor: Processor) -> PromptLayout:
    """The prompt's layout, after checking that tokenizer and model agree on the vocabulary."""
    size = processor.tokenizer.get_vocab_size()
    assert processor.languages == config.languages, f"{processor.languages}, not {config.languages}"
    assert size <= config.language.vocabulary, f"tokenizer has {size} ids, model {config.language.vocabulary}"
    return PromptLayout(config, processor)
