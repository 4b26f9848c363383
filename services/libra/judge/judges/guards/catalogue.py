"""All judges that ask a guard model."""

from __future__ import annotations

from libra.judge.judges.guards.gpt_oss_safeguard import GPT_OSS_SAFEGUARD_JUDGE
from libra.judge.judges.guards.granite_guardian import GRANITE_GUARDIAN_JUDGE
from libra.judge.judges.guards.harmbench import HARMBENCH_JUDGE
from libra.judge.judges.guards.llama_guard import LLAMA_GUARD_JUDGE
from libra.judge.judges.guards.qwen3guard import QWEN3GUARD_JUDGE
from libra.judge.judges.guards.shieldgemma import SHIELDGEMMA_JUDGE
from libra.judge.judges.guards.strongreject import STRONGREJECT_JUDGE
from libra.judge.judges.guards.wildguard import WILDGUARD_JUDGE

GUARD_JUDGES = (
    GPT_OSS_SAFEGUARD_JUDGE,
    GRANITE_GUARDIAN_JUDGE,
    HARMBENCH_JUDGE,
    LLAMA_GUARD_JUDGE,
    QWEN3GUARD_JUDGE,
    SHIELDGEMMA_JUDGE,
    STRONGREJECT_JUDGE,
    WILDGUARD_JUDGE,
)
"""In order of name."""
