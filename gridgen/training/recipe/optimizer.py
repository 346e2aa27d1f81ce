"""The optimizers of a recipe, as data. Add one as a class, a line in `AnyOptimizer`, and a case in
`training/optimizer.py`.
"""

from typing import Annotated, Literal

from pydantic import Field, Tag

from gridgen.spec import Document
from gridgen.training.recipe.sections import SHORT_FORM, by_name

Beta = Annotated[float, Field(ge=0, lt=1)]
Betas = Annotated[tuple[Beta, Beta], Field(strict=False)]
Epsilon = Annotated[float, Field(gt=0)]
WeightDecay = Annotated[
    float, Field(ge=0, description="Of convolutions' weights; biases and BN are left alone.")
]


class Adam(Document):
    """Adam without weight decay (Kingma & Ba, ICLR 2015), as the paper uses it."""

    name: Literal["adam"] = "adam"
    betas: Betas = (0.9, 0.999)
    epsilon: Epsilon = 1e-8


class AdamW(Document):
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019)."""

    name: Literal["adamw"] = "adamw"
    betas: Betas = (0.9, 0.999)
    epsilon: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.01


class Sgd(Document):
    """Stochastic gradient descent with momentum (Sutskever et al., ICML 2013)."""

    name: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(gt=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: WeightDecay = 1e-4


AnyOptimizer = Annotated[
    Annotated[Adam, Tag("adam")] | Annotated[AdamW, Tag("adamw")] | Annotated[Sgd, Tag("sgd")],
    by_name("adam"),
    SHORT_FORM,
]
