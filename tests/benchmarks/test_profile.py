"""The profile of a small model."""

from benchmarks import profile


def test_a_profile_names_operations_and_the_share_of_the_matrix_rate() -> None:
    found = profile.measured(profile.case_of("decode", 32, "tiny32"))
    assert found["gemm_share"] > 0
    assert abs(found["gemm_share"] - found["gflop"] / found["ms"] * 1000 / found["gemm_gflops"]) < 1e-9
    assert sum(found["operations_ms"].values()) > 0
    lines = profile.table(found).splitlines()
    assert lines[0] == "decode 32² × 1 (tiny32)"
    assert sum(line.startswith("| `") for line in lines) == profile.SHOWN


def test_kernels_are_named_without_changing_what_they_give() -> None:
    assert profile.named("twice", lambda x, *, y: (x, y))(1, y=2) == (1, 2)
