"""Streams both answers of one turn to the visitor, at the same pace, and stores them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

import structlog

from libra.arena.battles.answer_screen import AnswerScreen, shown_text
from libra.arena.battles.battle_view import public_battle
from libra.arena.battles.identity_mask import IdentityMask
from libra.arena.battles.model_pool import ModelPool
from libra.arena.battles.pacer import Pacer
from libra.arena.battles.side_reader import AnswerClient
from libra.core.errors import FailedPrecondition, NotFound
from libra.core.timeouts import wait_until_set
from libra.store.arena.battles import BattleCollection, StoredBattle
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Battle, BattleAnswer, BattleTurn, StreamTurnResponse, TurnDelta, TurnEnd, TurnStart
from libra.v1.completion_pb2 import RESPONSE_CLASS_FAILED, Completion
from libra.v1.message_pb2 import Message

SIDES = (pb.SIDE_A, pb.SIDE_B)
PLACES = ("left", "right")
TICK_SECONDS = 0.05

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TurnStreamer:
    """Asks both models and shows their answers."""

    battles: BattleCollection
    metrics: Metrics
    pool: ModelPool
    answers: AnswerClient
    characters_per_second: float
    heartbeat_seconds: float

    async def stream(self, stored: StoredBattle, position: int) -> AsyncGenerator[StreamTurnResponse]:
        """Yield the events of a turn. Raises NotFound, and FailedPrecondition if the turn waits for nothing."""
        battle = stored.battle
        if not 0 <= position < len(battle.turns):
            raise NotFound(f"the battle has {len(battle.turns)} turns, and no turn {position + 1}", field="turn")
        turn = battle.turns[position]
        masks = await self.pool.masks(battle.model_a, battle.model_b)
        yield StreamTurnResponse(start=TurnStart(shown=turn.shown))
        if turn.a.ended and turn.b.ended:
            for event in _replay(turn, masks):
                yield event
            yield StreamTurnResponse(battle=public_battle(battle, masks))
            return
        if battle.state != pb.BATTLE_STATE_ANSWERING:
            raise FailedPrecondition("no answer is awaited in this turn; open the battle again", field="turn")
        live = LiveTurn(self, stored, position, masks)
        try:
            async for event in live.events():
                yield event
        finally:
            await live.close()


class LiveTurn:
    """A turn whose answers arrive."""

    def __init__(
        self, streamer: TurnStreamer, stored: StoredBattle, position: int, masks: tuple[IdentityMask, IdentityMask]
    ) -> None:
        self._streamer, self._battle, self._position, self._masks = streamer, stored.battle, position, masks
        self._changed = asyncio.Event()
        self._pacer = Pacer(streamer.characters_per_second)
        self._ended = [False, False]
        models = (self._battle.model_a, self._battle.model_b)
        self._readers = [
            streamer.answers.read(
                model,
                conversation(self._battle, position, side),
                self._battle.id,
                AnswerScreen(mask),
                self._changed.set,
            )
            for side, model, mask in zip(SIDES, models, masks, strict=True)
        ]
        self._stored: Battle | None = None

    async def events(self) -> AsyncGenerator[StreamTurnResponse]:
        """Yield the deltas and ends of both sides, heartbeats, and the battle."""
        loop = asyncio.get_running_loop()
        last_sent = loop.time()
        while True:
            for reader in self._readers:
                reader.check_time()
            if self._stored is None and any(reader.fault for reader in self._readers):
                for event in self._failures():
                    yield event
                yield StreamTurnResponse(battle=public_battle(await self._fail(), self._masks))
                return
            if self._stored is None and all(reader.has_ended for reader in self._readers):
                self._stored = await self._end()
            events = list(self._released(loop.time()))
            if not events and loop.time() - last_sent >= self._streamer.heartbeat_seconds:
                events = [StreamTurnResponse(heartbeat=True)]
            for event in events:
                last_sent = loop.time()
                yield event
            if self._stored is not None and self._pacer.is_done:
                yield StreamTurnResponse(battle=public_battle(self._stored, self._masks))
                return
            await self._wait()

    async def close(self) -> None:
        """End the requests that were not answered: the visitor has left, or the other model has failed."""
        await asyncio.gather(*(reader.close() for reader in self._readers))

    async def _wait(self) -> None:
        """Wait for a tick while text is being shown, else for a change, at most for a second."""
        is_showing = any(side.shown != side.target for side in self._pacer.sides)
        if is_showing:
            await asyncio.sleep(TICK_SECONDS)
            return
        await wait_until_set(self._changed, 1.0)
        self._changed.clear()

    def _released(self, now_seconds: float) -> Iterator[StreamTurnResponse]:
        for side, reader in zip(self._pacer.sides, self._readers, strict=True):
            side.target, side.has_ended = reader.screen.visible, reader.screen.completion is not None
        for part in self._pacer.release(now_seconds):
            yield StreamTurnResponse(delta=TurnDelta(side=SIDES[part.side], text=part.text, replaces=part.replaces))
        for number, (side, reader) in enumerate(zip(self._pacer.sides, self._readers, strict=True)):
            completion = reader.screen.completion
            if side.is_done and completion is not None and not self._ended[number]:
                self._ended[number] = True
                response_class = completion.response.response_class
                yield StreamTurnResponse(end=TurnEnd(side=SIDES[number], response_class=response_class))

    def _failures(self) -> Iterator[StreamTurnResponse]:
        for side, place, reader in zip(SIDES, PLACES, self._readers, strict=True):
            if reader.fault:
                end = TurnEnd(side=side, response_class=RESPONSE_CLASS_FAILED, problem=_problem([place]))
                yield StreamTurnResponse(end=end)

    async def _end(self) -> Battle:
        """Store both answers and return the battle; another call for the same turn may have been faster."""
        turn = BattleTurn()
        turn.CopyFrom(self._battle.turns[self._position])
        for answer, reader in zip((turn.a, turn.b), self._readers, strict=True):
            answer.CopyFrom(_answer(reader.screen))
        ended = await self._streamer.battles.end_turn(self._battle.id, self._position, turn)
        return await self._current(ended, "answered")

    async def _fail(self) -> Battle:
        """Record which models failed, and return the battle."""
        models, failed, faults = (self._battle.model_a, self._battle.model_b), [], []
        for number, reader in enumerate(self._readers):
            if reader.fault:
                self._streamer.pool.mark_failed(models[number])
                failed.append(number)
                faults.append(f"{models[number]}: {reader.fault}")
                log.warning(
                    "a model failed in a battle",
                    action=Action.BATTLE_FAILED,
                    battle=self._battle.id,
                    model=models[number],
                    reason=reader.fault,
                )
        problem = _problem([PLACES[number] for number in failed])
        sides = [SIDES[number] for number in failed]
        ended = await self._streamer.battles.fail_turn(self._battle.id, self._position, sides, problem, faults)
        return await self._current(ended, "failed")

    async def _current(self, changed: StoredBattle | None, result: str) -> Battle:
        """Return the battle; count the turn unless another call for it was faster."""
        if changed:
            self._streamer.metrics.arena_turns.labels(result=result).inc()
        found = changed or await self._streamer.battles.get(self._battle.id)
        return found.battle if found else self._battle


def conversation(battle: Battle, position: int, side: pb.Side.ValueType) -> list[Message]:
    """Return what the model on one side is shown in a turn: the turns so far, with its own answers."""
    messages: list[Message] = []
    for turn in battle.turns[: position + 1]:
        messages += turn.shown
        answer = turn.a if side == pb.SIDE_A else turn.b
        if answer.ended and turn is not battle.turns[position]:
            messages.append(Message(role="assistant", content=shown_text(Completion(text=answer.text))))
    return messages


def _problem(places: Sequence[str]) -> str:
    who = f"the model on the {places[0]}" if len(places) == 1 else "both models"
    return f"{who} did not answer; start the battle again with another pair"


def _answer(screen: AnswerScreen) -> BattleAnswer:
    completion = screen.completion or Completion()
    return BattleAnswer(
        text=completion.text,
        ended=True,
        response_class=completion.response.response_class,
        masked=screen.is_masked,
        completion=completion.id,
        latency_seconds=completion.latency_seconds,
    )


def _replay(turn: BattleTurn, masks: tuple[IdentityMask, IdentityMask]) -> Iterator[StreamTurnResponse]:
    """Yield the events of a turn that was answered before."""
    for side, answer, mask in zip(SIDES, (turn.a, turn.b), masks, strict=True):
        text = mask.mask(shown_text(Completion(text=answer.text))).text
        if text:
            yield StreamTurnResponse(delta=TurnDelta(side=side, text=text))
        yield StreamTurnResponse(end=TurnEnd(side=side, response_class=answer.response_class))
