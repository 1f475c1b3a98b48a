"""Models. What their libraries read from the environment when they are imported is set here, before any module below imports them."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # noqa: TID251 -- the model libraries must not call home
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # noqa: TID251 -- threads of torch that wait must not keep a busy machine's cores
