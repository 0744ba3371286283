"""The page's own logic, module by module in Chromium: who wins, what is undone, which weights a point has."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.modules import imported

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    paths = {
        "api": "api.js",
        "channel": "channel.js",
        "state": "state.js",
        "history_": "history.js",
        "live": "live.js",
        "mixing": "mixing.js",
        "keys": "keys.js",
        "recipe": "recipe.js",
    }
    with imported(browser, **paths) as opened:
        yield opened


def test_one_request_is_under_way_and_the_latest_takes_the_place_of_the_one_that_waits(page: Any) -> None:
    found = page.evaluate("""async () => {
        const sent = [], open = [];
        const one = new channel.Channel((job, seq) => {
            sent.push([job.name, seq]);
            return new Promise((resolve) => open.push(() => resolve(job.name)));
        });
        const ends = {};
        const end = (name, value) => { ends[name] = value; };
        const failed = (name) => (error) => end(name, error.name);
        const ask = (name) => one.ask({name}).then((value) => end(name, value), failed(name));
        const all = ['a', 'b', 'c', 'd'].map(ask);
        const first = sent.length;
        open.shift()();
        await all[0];
        await new Promise((resolve) => setTimeout(resolve));
        open.shift()();
        await Promise.all(all);
        return {first, sent, ends};
    }""")
    assert found["first"] == 1
    assert found["sent"] == [["a", 1], ["d", 4]]
    assert found["ends"] == {"a": "a", "b": "Superseded", "c": "Superseded", "d": "d"}


LIVE = """async (steps) => {
    const kept = globalThis.createImageBitmap;
    const canvas = new OffscreenCanvas(1, 1);
    canvas.getContext('2d');
    globalThis.createImageBitmap = async () => canvas.transferToImageBitmap();  // at once, on any machine
    const document_ = state.createState({recipe: null, images: []});
    const past = history_.createHistory(document_);
    const asked = [], shown = [];
    const send = (job, seq, signal) => new Promise((resolve, reject) => {
        asked.push({...job, seq, answer: (isFull) => resolve(
            {blob: new Blob(), seq, isFull, width: 1, height: 1, seconds: 0}), fail: reject});
        signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
    });
    const main = new channel.Channel(send);
    const client = {
        render: (recipe, how) => main.ask({strength: recipe.strength, quality: how.quality}, how),
        onStatus: () => 0,
    };
    const one = live.createLive({api: client, state: document_, history: past});
    one.subscribe((kind, {frame}) => kind === 'frame' && shown.push([frame.recipe.strength, frame.isFull]));
    const rest = () => new Promise((resolve) => setTimeout(resolve));
    for (const [what, value] of steps) {
        if (what === 'set') {
            document_.set({recipe: {...recipe.swapOf('a', 'b'), strength: value}}, {undoable: 's'});
        } else asked[value[0]].answer(value[1]);
        await rest();
    }
    globalThis.createImageBitmap = kept;
    return {asked: asked.map((job) => [job.strength, job.quality]), shown, working: one.isWorking};
}"""


def test_a_small_frame_comes_first_and_the_full_one_when_the_hand_rests(page: Any) -> None:
    steps = [["set", 1], ["answer", [0, False]], ["answer", [1, True]]]
    found = page.evaluate(LIVE, steps)
    assert found["asked"] == [[1, "fast"], [1, "full"]]
    assert found["shown"] == [[1, False], [1, True]]
    assert not found["working"]


def test_a_full_frame_nobody_waits_for_any_more_is_given_up(page: Any) -> None:
    steps = [["set", 1], ["answer", [0, False]], ["set", 2], ["answer", [1, True]], ["answer", [2, True]]]
    found = page.evaluate(LIVE, steps)
    assert found["asked"] == [[1, "fast"], [1, "full"], [2, "fast"]]
    assert found["shown"] == [[1, False], [2, True]]  # the answer that came after all is not shown


def test_while_the_hand_moves_only_the_newest_is_asked_for_and_no_older_frame_follows(page: Any) -> None:
    moves = [["set", value] for value in (1, 2, 3, 4, 5)]
    found = page.evaluate(LIVE, [*moves, ["answer", [0, True]], ["answer", [1, True]]])
    assert found["asked"] == [[1, "fast"], [5, "fast"]]
    assert found["shown"] == [[1, True], [5, True]]


def test_a_frame_older_than_the_one_on_screen_is_dropped(page: Any) -> None:
    """Decoding pictures takes time: the older of two frames may be ready after the newer one."""
    found = page.evaluate("""async () => {
        const document_ = state.createState({recipe: null, images: []});
        const frame = {isFull: true, width: 1, height: 1, seconds: 0, blob: new Blob()};
        const answers = [{...frame, seq: 3}, {...frame, seq: 2}];
        const kept = globalThis.createImageBitmap;
        const canvas = new OffscreenCanvas(1, 1);
        canvas.getContext('2d');
        globalThis.createImageBitmap = async () => canvas.transferToImageBitmap();
        const shown = [];
        const past = history_.createHistory(document_);
        const client = {render: async () => answers.shift(), onStatus: () => 0};
        const one = live.createLive({api: client, state: document_, history: past});
        one.subscribe((kind, {frame}) => kind === 'frame' && shown.push(frame.seq));
        for (const strength of [1, 2]) document_.set({recipe: {...recipe.swapOf('a', 'b'), strength}});
        await new Promise((resolve) => setTimeout(resolve, 50));
        globalThis.createImageBitmap = kept;
        return shown;
    }""")
    assert found == [3]


def test_history_keeps_fifty_steps_within_its_bytes(page: Any) -> None:
    found = page.evaluate("""() => {
        const document_ = state.createState({recipe: null});
        let time = 0, held = false;
        const past = history_.createHistory(document_, {now: () => time, isHeld: () => held});
        const set = (strength, how) => document_.set({recipe: {strength}}, how);
        for (let step = 0; step < 80; step += 1) set(step, {undoable: `step ${step}`});
        const full = [past.entries.length, past.at];
        let back = 0;
        while (past.undo()) back += 1;
        const first = document_.get().recipe.strength;
        set('new', {undoable: 'new'});
        const cut = past.entries.length;
        for (const strength of [1, 2, 3]) { time += 100; set(strength, {undoable: 'drag', merge: 'drag'}); }
        past.seal();
        set(4, {undoable: 'drag', merge: 'drag'});
        time += 10_000;
        set(5, {undoable: 'drag', merge: 'drag'});
        held = true;  // a hand that rests on its way is one drag all the same
        for (const strength of [6, 7]) { time += 10_000; set(strength, {undoable: 'drag', merge: 'drag'}); }
        held = false;
        const drags = past.entries.map((entry) => entry.recipe.strength);
        for (let step = 0; step < 40; step += 1) set('x'.repeat(2 ** 18) + step, {undoable: 'large'});
        const [bytes, bound, left] = [past.bytes, history_.BYTES, past.entries.length];
        return {full, back, first, cut, drags, bytes, bound, left};
    }""")
    assert found["full"] == [51, 50]
    assert (found["back"], found["first"]) == (50, 29)
    assert found["cut"] == 2
    assert found["drags"] == [29, "new", 3, 4, 7]
    assert found["bytes"] <= found["bound"]
    assert found["left"] > 5


def test_a_point_of_the_pad_and_its_weights_are_the_same_thing(page: Any) -> None:
    found = page.evaluate("""() => [2, 3, 4].flatMap((count) => {
        const rows = [];
        for (let x = -0.2; x <= 1.2; x += 0.1) for (let y = -0.2; y <= 1.2; y += 0.1) {
            const weights = mixing.weightsAt(count, {x, y});
            const [nearest, back] = [mixing.bounded(count, {x, y}), mixing.pointOf(weights)];
            rows.push([weights.reduce((sum, one) => sum + one, 0), Math.min(...weights),
                Math.abs(nearest.x - back.x) + Math.abs(nearest.y - back.y)]);
        }
        return rows;
    })""")
    assert len(found) > 600
    for total, least, apart in found:
        assert total == pytest.approx(1)
        assert least >= 0
        assert apart < 1e-9


def test_keys_are_found_on_other_layouts_too(page: Any) -> None:
    found = page.evaluate("""() => [
        {key: 'я', code: 'KeyZ', ctrlKey: true},            // Cyrillic: undo
        {key: '&', code: 'Digit1'},                           // AZERTY: the first screen
        {key: '[', code: 'Digit8', altGraph: true, ctrlKey: true, altKey: true},  // German
        {key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true},
        {key: '?', code: 'Slash', shiftKey: true},
        {key: 'z', code: 'KeyY', ctrlKey: true},            // QWERTZ: what is typed counts
    ].map(({altGraph = false, ...event}) => keys.spellings({...event, getModifierState: () => altGraph}))""")
    wanted = ["ctrl+z", "1", "[", "ctrl+shift+z", "?", "ctrl+z"]
    for spellings, key in zip(found, wanted, strict=True):
        assert key in spellings
    assert "ctrl+y" not in found[5]


def test_a_busy_studio_is_asked_again_and_an_absent_one_is_noticed(page: Any) -> None:
    found = page.evaluate("""async () => {
        const kept = globalThis.fetch;
        const headers = {'Retry-After': '0.1', 'Content-Type': 'application/json'};
        const said = (code) => JSON.stringify({error: `${code}.`, code});
        const refusal = (status, code) => new Response(said(code), {status, headers});
        const answers = [refusal(429, 'busy'), new Response('{"ok": 1}')];
        const seen = [];
        globalThis.fetch = async (path, request) => {
            seen.push([String(path), request.headers?.['X-Session'] ?? null]);
            if (!answers.length) throw new TypeError('no network');
            return answers.shift();
        };
        const client = api.createApi();
        const statuses = [];
        client.onStatus((status) => statuses.push(status));
        const value = await client.get('thing');
        answers.push(refusal(422, 'invalid'));
        const refused = await client.get('thing').catch((error) => [error.status, error.code, error.message]);
        const absent = await client.get('thing').catch((error) => [error.name, error.code]);
        answers.push(new Response('{"status": "ready"}'));
        await new Promise((resolve) => setTimeout(resolve, 1300));
        globalThis.fetch = kept;
        return {value, refused, absent, statuses, seen};
    }""")
    assert found["value"] == {"ok": 1}
    assert found["refused"] == [422, "invalid", "invalid."]
    assert found["absent"] == ["Offline", "offline"]
    assert found["statuses"] == ["busy", "ready", "offline", "ready"]
    assert found["seen"][-1][0] == "/readyz"
    sessions = {session for _, session in found["seen"] if session}
    assert len(sessions) == 1
