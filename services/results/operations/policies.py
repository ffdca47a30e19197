"""Which signatures each kind of result needs."""

from services.results.models import KindPolicy
from services.results.states import SignaturePolicy
from shared.work import Work


async def set_kind_policy(
    work: Work, *, kind_code: str, digital: SignaturePolicy, paper: SignaturePolicy, reason: str, decided_by: str
) -> KindPolicy:
    """Say which signatures results of a kind need from now on; reason names the legal base."""
    found = await work.session.get(KindPolicy, kind_code, with_for_update=True)
    policy = found or KindPolicy(kind_code=kind_code)
    policy.digital, policy.paper, policy.reason = digital, paper, reason
    policy.decided_by, policy.decided_at = decided_by, work.now
    work.session.add(policy)
    return policy
