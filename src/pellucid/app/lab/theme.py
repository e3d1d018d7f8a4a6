"""Theme: colours and letters of the lab, the same as the tour's; no font is fetched."""

from __future__ import annotations

from typing import Any

LETTERS = ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "PingFang SC",
           "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]  # fmt: skip
CODE = ["ui-monospace", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]
SHADES = {
    "c50": "#eef5f9", "c100": "#d8e8f1", "c200": "#b5d3e3", "c300": "#8fc4de", "c400": "#6aa7c4",
    "c500": "#3d7f9e", "c600": "#1d5a78", "c700": "#184c65", "c800": "#143e53", "c900": "#103142",
    "c950": "#0a2029",
}  # fmt: skip


def theme() -> Any:
    """Gradio's own, in the colours of the house."""
    import gradio as gr

    blue = gr.themes.Color(name="pellucid", **SHADES)
    made = gr.themes.Default(
        primary_hue=blue,
        secondary_hue=blue,
        neutral_hue="stone",
        radius_size="sm",
        spacing_size="sm",
        font=LETTERS,
        font_mono=CODE,
    )
    return made.set(
        body_background_fill="#fbfaf6", body_background_fill_dark="#17181a",
        block_background_fill="#ffffff", block_background_fill_dark="#212224",
        block_border_width="1px", block_shadow="none",
        block_label_background_fill="transparent", block_label_border_width="0px",
        block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_300",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_300",
        button_primary_background_fill_hover_dark="*primary_200",
        button_primary_text_color="#ffffff", button_primary_text_color_dark="#17181a",
        link_text_color="*primary_600", link_text_color_dark="*primary_300",
    )  # fmt: skip
