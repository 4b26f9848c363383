"""The client of Libra for other programs: runs, boards, verdicts and comparisons as plain objects.

    from libra.client import LibraClient

    with LibraClient(dispatch="localhost:50051", ranking="localhost:50055") as libra:
        run = libra.create_run(models=["mine"], tasks=["*"])
        libra.wait_for_run(run.id)
        for row in libra.get_board().rows:
            print(row.rank, row.model, row.overall)

`LibraClient` blocks; `AsyncLibraClient` has the same methods as coroutines. Errors are those of `libra.core.errors`.
"""

from libra.client.async_client import AsyncLibraClient
from libra.client.blocking_client import LibraClient
from libra.client.results import (
    BestModel,
    Board,
    BoardRow,
    CategoryScore,
    Comparison,
    ComparisonReport,
    Estimate,
    LabelScore,
    ModelProgress,
    OutcomeCounts,
    Run,
    RunSpec,
    TaskScore,
    Verdict,
)
from libra.core.errors import (
    CallerError,
    Conflict,
    FailedPrecondition,
    Invalid,
    LibraError,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from libra.rpc.tls import Tls

__all__ = [
    "AsyncLibraClient",
    "BestModel",
    "Board",
    "BoardRow",
    "CallerError",
    "CategoryScore",
    "Comparison",
    "ComparisonReport",
    "Conflict",
    "Estimate",
    "FailedPrecondition",
    "Invalid",
    "LabelScore",
    "LibraClient",
    "LibraError",
    "ModelProgress",
    "NotFound",
    "OutcomeCounts",
    "PermissionDenied",
    "Run",
    "RunSpec",
    "TaskScore",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "Verdict",
]
