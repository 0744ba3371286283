// Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray 2016): 36 multiplications where the definition takes
// 144, for every tile of 4×4 outputs.
//
//   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// The products over channels are 36 matrix products, one for each place of the 6×6 tile. Tiles are taken in
// blocks that stay in the cache; in a block every thread transforms its share of the tiles, multiplies its
// share of the matrices, and transforms back.
//
// Layouts, with R = TILE_ROWS and N = 2·VL:
//   V, M  [36][tiles / R][channels / VL][R][VL]      transformed inputs, and products
//   U     [36][out / N][in][N]                       transformed weights
// The gradient of the weight contracts over tiles, so there V and M are [36][channels / VL][tiles][VL].

#include "kernels.h"
#include "parallel.h"
#include "simd.h"

namespace ISA {

constexpr int PLACES = 36;
constexpr int R = TILE_ROWS, N = 2 * VL;

constexpr int64_t BLOCK_FLOATS = int64_t(3) << 18;  // of V and M together, 3 MB: what a core's caches hold well
constexpr int64_t STAGGER = 5 * 16;         // floats between the planes of V, against a power-of-two stride

static int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }
static int64_t panels(int64_t channels) { return (channels + N - 1) / N; }

// ── the three transforms, on vectors of channels ────────────────────────────────────────────────────

// Interpolation at 0, ±p, ±q and ∞. With p·q = 1 the factors stay near 1, which halves the rounding error of
// the customary p = 1, q = 2.
constexpr float p = 0.70710678f, q = 1.41421356f;
constexpr float pp = 0.5f, qq = 2.0f;  // their squares
constexpr float at_p = 1 / (2 * pp * (pp - qq)), at_q = 1 / (2 * qq * (qq - pp)), at_0 = 1 / (pp * qq);

static inline void input_line(const vec d[6], vec t[6]) {  // Bᵀ d
    vec even_p = d[4] - qq * d[2], odd_p = p * d[3] - p * qq * d[1];
    vec even_q = d[4] - pp * d[2], odd_q = q * d[3] - q * pp * d[1];
    t[0] = pp * qq * d[0] - (pp + qq) * d[2] + d[4];
    t[1] = even_p + odd_p;
    t[2] = even_p - odd_p;
    t[3] = even_q + odd_q;
    t[4] = even_q - odd_q;
    t[5] = pp * qq * d[1] - (pp + qq) * d[3] + d[5];
}

static inline void output_line(const vec m[6], vec y[4]) {  // Aᵀ m
    vec even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + even_p + even_q;
    y[1] = p * odd_p + q * odd_q;
    y[2] = pp * even_p + qq * even_q;
    y[3] = p * pp * odd_p + q * qq * odd_q + m[5];
}

static inline void output_adjoint_line(const vec y[4], vec m[6]) {  // A y
    vec even_p = y[0] + pp * y[2], odd_p = p * y[1] + p * pp * y[3];
    vec even_q = y[0] + qq * y[2], odd_q = q * y[1] + q * qq * y[3];
    m[0] = y[0];
    m[1] = even_p + odd_p;
    m[2] = even_p - odd_p;
    m[3] = even_q + odd_q;
    m[4] = even_q - odd_q;
    m[5] = y[3];
}

static inline void weight_line(const vec g[3], vec u[6]) {  // G g
    vec even_p = at_p * g[0] + at_p * pp * g[2], odd_p = at_p * p * g[1];
    vec even_q = at_q * g[0] + at_q * qq * g[2], odd_q = at_q * q * g[1];
    u[0] = at_0 * g[0];
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = g[2];
}

static inline void weight_adjoint_line(const vec u[6], vec g[3]) {  // Gᵀ u
    vec even_p = u[1] + u[2], odd_p = u[1] - u[2], even_q = u[3] + u[4], odd_q = u[3] - u[4];
    g[0] = at_0 * u[0] + at_p * even_p + at_q * even_q;
    g[1] = at_p * p * odd_p + at_q * q * odd_q;
    g[2] = at_p * pp * even_p + at_q * qq * even_q + u[5];
}

// ── tiles ───────────────────────────────────────────────────────────────────────────────────────────

struct Tiling {
    int64_t batch, height, width, out_height, out_width, pad, rows, columns;
    bool reflect;

    Tiling(int64_t batch, int64_t height, int64_t width, int64_t pad, bool reflect)
        : batch(batch), height(height), width(width), out_height(height + 2 * pad - 2),
          out_width(width + 2 * pad - 2), pad(pad), rows((out_height + 3) / 4), columns((out_width + 3) / 4),
          reflect(reflect) {}

    int64_t tiles() const { return batch * rows * columns; }

    // Where row (or column) `place` of the padded input is in the input; −1 for a zero.
    int64_t inside(int64_t place, int64_t size) const {
        if (reflect) {
            if (place < 0) place = -place;
            if (place >= size) place = 2 * (size - 1) - place;
        }
        return place >= 0 && place < size ? place : -1;
    }
};

struct Tile {
    int64_t image, top, left;  // of the 4×4 outputs

    Tile(const Tiling &tiling, int64_t index) {
        image = index / (tiling.rows * tiling.columns);
        int64_t inside = index % (tiling.rows * tiling.columns);
        top = inside / tiling.columns * 4;
        left = inside % tiling.columns * 4;
    }

    // The 36 pixels [.., C] this tile reads; `zeros` for those beyond the border.
    void sources(const Tiling &tiling, const float *x, int64_t channels, const float *zeros,
                 const float *pixels[PLACES]) const {
        int64_t columns[6];
        for (int j = 0; j < 6; ++j) columns[j] = tiling.inside(left + j - tiling.pad, tiling.width);
        for (int i = 0; i < 6; ++i) {
            int64_t row = tiling.inside(top + i - tiling.pad, tiling.height);
            int64_t line = (image * tiling.height + row) * tiling.width;
            for (int j = 0; j < 6; ++j)
                pixels[6 * i + j] = row < 0 || columns[j] < 0 ? zeros : x + (line + columns[j]) * channels;
        }
    }
};

// Transform one tile's chunk of channels; the place (i, j) goes to `out + (6·i + j) · plane`.
static inline void transform_input(const float *const pixels[PLACES], int64_t channel, int64_t count,
                                   const float *scale, float *out, int64_t plane) {
    vec half[6][6];
    vec factor = scale ? load(scale + channel, count) : vec{};
    for (int j = 0; j < 6; ++j) {
        vec d[6], t[6];
        for (int i = 0; i < 6; ++i) {
            d[i] = load(pixels[6 * i + j] + channel, count);
            if (scale) d[i] *= factor;
        }
        input_line(d, t);
        for (int i = 0; i < 6; ++i) half[i][j] = t[i];
    }
    for (int i = 0; i < 6; ++i) {
        vec t[6];
        input_line(half[i], t);
        for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * plane, t[j]);
    }
}

// ── forward ─────────────────────────────────────────────────────────────────────────────────────────

// M[ROWS, N] = V[ROWS, in] · U[in, N], for one block of tiles at one place. Channels are summed in runs, and
// then the runs: one sum over all of them would lose a bit for every fourfold of channels.
template <int ROWS> static void multiply(const float *v, const float *u, float *m, int64_t in_chunks) {
    constexpr int64_t RUN = 128 / VL;
    for (int64_t first = 0; first < in_chunks; first += RUN) {
        const int64_t last = first + RUN < in_chunks ? first + RUN : in_chunks;
        vec sum[ROWS][2] = {};
        for (int64_t chunk = first; chunk < last; ++chunk, v += R * VL) {
            for (int lane = 0; lane < VL; ++lane, u += N) {
                vec left = load(u), right = load(u + VL);
                for (int row = 0; row < ROWS; ++row) {
                    sum[row][0] += v[row * VL + lane] * left;
                    sum[row][1] += v[row * VL + lane] * right;
                }
            }
        }
        for (int row = 0; row < ROWS; ++row) {
            float *to[2] = {m + row * VL, m + (R + row) * VL};
            for (int half = 0; half < 2; ++half)
                store(to[half], first ? load(to[half]) + sum[row][half] : sum[row][half]);
        }
    }
}

template <int ROWS>
static void multiply_some(int rows, const float *v, const float *u, float *m, int64_t in_chunks) {
    if constexpr (ROWS > 0) {
        if (rows == ROWS)
            multiply<ROWS>(v, u, m, in_chunks);
        else
            multiply_some<ROWS - 1>(rows, v, u, m, in_chunks);
    }
}

static inline void write_tile(const swapae_conv3x3 &conv, const Tiling &tiling, const Tile &tile,
                              const float *m, int64_t plane, int64_t channel, int64_t count) {
    vec half[4][6];
    for (int j = 0; j < 6; ++j) {
        vec d[6], y[4];
        for (int i = 0; i < 6; ++i) d[i] = load(m + (6 * i + j) * plane);
        output_line(d, y);
        for (int i = 0; i < 4; ++i) half[i][j] = y[i];
    }
    vec bias = conv.bias ? load(conv.bias + channel, count) : vec{};
    int64_t noise_image = conv.noise_batch > 1 ? tile.image : 0;
    for (int i = 0; i < 4 && tile.top + i < tiling.out_height; ++i) {
        vec y[4];
        output_line(half[i], y);
        int64_t row = tile.top + i;
        for (int j = 0; j < 4 && tile.left + j < tiling.out_width; ++j) {
            int64_t column = tile.left + j;
            int64_t pixel = (tile.image * tiling.out_height + row) * tiling.out_width + column;
            vec v = y[j] + bias;
            if (conv.noise) {
                int64_t place = (noise_image * tiling.out_height + row) * tiling.out_width + column;
                v += conv.noise_weight * conv.noise[place];
            }
            v = leaky(v, conv.slope) * conv.gain;
            int64_t at = pixel * conv.out_channels + channel;
            if (conv.residual) v += conv.residual_gain * load(conv.residual + at, count);
            store(conv.y + at, v, count);
        }
    }
}

static int64_t tiles_per_block(int64_t in_channels, int64_t out_channels, int64_t tiles) {
    int64_t floats = PLACES * VL * (chunks(in_channels) + 2 * panels(out_channels));
    int64_t most = round_up(tiles, R);
    int64_t fitting = BLOCK_FLOATS / floats / R * R;
    return fitting < 4 * R ? (most < 4 * R ? most : 4 * R) : (fitting < most ? fitting : most);
}

struct ForwardSpace {  // how the workspace is divided
    int64_t block, in_chunks, out_chunks, v_plane, m_plane, zeros;

    ForwardSpace(int64_t in_channels, int64_t out_channels, int64_t tiles)
        : block(tiles_per_block(in_channels, out_channels, tiles)), in_chunks(chunks(in_channels)),
          out_chunks(2 * panels(out_channels)), v_plane(block * in_chunks * VL + STAGGER),
          m_plane(block * out_chunks * VL + STAGGER), zeros(round_up(in_channels, VL)) {}

    int64_t floats() const { return PLACES * (v_plane + m_plane) + zeros; }
};

void conv3x3(const swapae_conv3x3 *given) {
    const swapae_conv3x3 &conv = *given;
    const Tiling tiling(conv.batch, conv.height, conv.width, conv.pad, conv.reflect);
    const int64_t tiles = tiling.tiles(), C = conv.in_channels, K = conv.out_channels;
    const ForwardSpace space(C, K, tiles);
    float *v = conv.workspace, *m = v + PLACES * space.v_plane, *zeros = m + PLACES * space.m_plane;
    memset(zeros, 0, space.zeros * sizeof(float));

    for (int64_t first = 0; first < tiles; first += space.block) {
        const int64_t here = tiles - first < space.block ? tiles - first : space.block;
        parallel(conv.threads, [&](int thread, int threads) {
            const float *pixels[PLACES];
            for (Share share(here, thread, threads); share.begin < share.end; ++share.begin) {
                int64_t t = share.begin;
                Tile tile(tiling, first + t);
                tile.sources(tiling, conv.x, C, zeros, pixels);
                const float *scale = conv.in_scale ? conv.in_scale + tile.image * C : nullptr;
                float *out = v + (t / R * space.in_chunks * R + t % R) * VL;
                for (int64_t c = 0; c < C; c += VL, out += R * VL)
                    transform_input(pixels, c, C - c, scale, out, space.v_plane);
            }
        });
        parallel(conv.threads, [&](int thread, int threads) {
            const int64_t wide = space.out_chunks / 2;
            for (Share share(PLACES * wide, thread, threads); share.begin < share.end; ++share.begin) {
                int64_t place = share.begin / wide, panel = share.begin % wide;
                const float *u = conv.weights + share.begin * space.in_chunks * VL * N;
                const float *a = v + place * space.v_plane;
                float *product = m + place * space.m_plane + panel * 2 * R * VL;
                for (int64_t t = 0; t < here; t += R) {
                    int rows = here - t < R ? here - t : R;
                    multiply_some<R>(rows, a, u, product, space.in_chunks);
                    a += space.in_chunks * R * VL;
                    product += space.out_chunks * R * VL;
                }
            }
        });
        parallel(conv.threads, [&](int thread, int threads) {
            for (Share share(here, thread, threads); share.begin < share.end; ++share.begin) {
                int64_t t = share.begin;
                Tile tile(tiling, first + t);
                const float *product = m + (t / R * space.out_chunks * R + t % R) * VL;
                for (int64_t k = 0; k < K; k += VL, product += R * VL)
                    write_tile(conv, tiling, tile, product, space.m_plane, k, K - k);
            }
        });
    }
}

// ── gradient of the weight ──────────────────────────────────────────────────────────────────────────

// dU[ROWS, N] += V[tiles, ROWS]ᵀ · dM[tiles, N], for ROWS input channels at one place.
static void accumulate(const float *v, const float *left, const float *right, float *sum, int64_t sum_stride,
                       int64_t tiles) {
    vec total[GRAD_ROWS][2];
    for (int row = 0; row < GRAD_ROWS; ++row) {
        total[row][0] = load(sum + row * sum_stride);
        total[row][1] = load(sum + row * sum_stride + VL);
    }
    for (int64_t t = 0; t < tiles; ++t, v += VL, left += VL, right += VL) {
        vec l = load(left), r = load(right);
        for (int row = 0; row < GRAD_ROWS; ++row) {
            total[row][0] += v[row] * l;
            total[row][1] += v[row] * r;
        }
    }
    for (int row = 0; row < GRAD_ROWS; ++row) {
        store(sum + row * sum_stride, total[row][0]);
        store(sum + row * sum_stride + VL, total[row][1]);
    }
}

static inline void transform_grad(const swapae_conv3x3_grad &grad, const Tiling &tiling, const Tile &tile,
                                  int64_t channel, int64_t count, float *out, int64_t plane) {
    vec half[6][4];
    for (int j = 0; j < 4; ++j) {
        vec y[4] = {}, t[6];
        for (int i = 0; i < 4; ++i) {
            int64_t row = tile.top + i, column = tile.left + j;
            if (row < tiling.out_height && column < tiling.out_width) {
                int64_t pixel = (tile.image * tiling.out_height + row) * tiling.out_width + column;
                y[i] = load(grad.grad_y + pixel * grad.out_channels + channel, count);
            }
        }
        output_adjoint_line(y, t);
        for (int i = 0; i < 6; ++i) half[i][j] = t[i];
    }
    for (int i = 0; i < 6; ++i) {
        vec t[6];
        output_adjoint_line(half[i], t);
        for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * plane, t[j]);
    }
}

struct GradSpace {
    int64_t block, in_chunks, out_chunks, v_plane, m_plane, u_plane, zeros;

    GradSpace(int64_t in_channels, int64_t out_channels, int64_t tiles)
        : block(tiles_per_block(in_channels, out_channels, tiles)), in_chunks(chunks(in_channels)),
          out_chunks(2 * panels(out_channels)), v_plane(block * in_chunks * VL + STAGGER),
          m_plane(block * out_chunks * VL + STAGGER), u_plane(in_chunks * VL * out_chunks * VL),
          zeros(round_up(in_channels, VL)) {}

    int64_t floats() const { return PLACES * (v_plane + m_plane + u_plane) + zeros; }
};

void conv3x3_grad(const swapae_conv3x3_grad *given) {
    const swapae_conv3x3_grad &grad = *given;
    const Tiling tiling(grad.batch, grad.height, grad.width, grad.pad, false);
    const int64_t tiles = tiling.tiles(), C = grad.in_channels, K = grad.out_channels;
    const GradSpace space(C, K, tiles);
    const int64_t block = space.block, u_stride = space.out_chunks * VL;
    float *v = grad.workspace, *m = v + PLACES * space.v_plane, *u = m + PLACES * space.m_plane;
    float *zeros = u + PLACES * space.u_plane;
    memset(zeros, 0, space.zeros * sizeof(float));
    if (tiles == 0) memset(u, 0, PLACES * space.u_plane * sizeof(float));  // else the first block does it

    for (int64_t first = 0; first < tiles; first += block) {
        const int64_t here = tiles - first < block ? tiles - first : block;
        parallel(grad.threads, [&](int thread, int threads) {
            const float *pixels[PLACES];
            for (Share share(here, thread, threads); share.begin < share.end; ++share.begin) {
                int64_t t = share.begin;
                Tile tile(tiling, first + t);
                tile.sources(tiling, grad.x, C, zeros, pixels);
                for (int64_t c = 0; c < C; c += VL)
                    transform_input(pixels, c, C - c, nullptr, v + c * block + t * VL, space.v_plane);
                for (int64_t k = 0; k < K; k += VL)
                    transform_grad(grad, tiling, tile, k, K - k, m + k * block + t * VL, space.m_plane);
            }
        });
        parallel(grad.threads, [&](int thread, int threads) {
            const int64_t wide = space.out_chunks / 2, high = space.in_chunks;
            for (Share share(PLACES * high, thread, threads); share.begin < share.end; ++share.begin) {
                int64_t place = share.begin / high, chunk = share.begin % high;
                float *sums = u + place * space.u_plane + chunk * VL * u_stride;
                if (first == 0) memset(sums, 0, VL * u_stride * sizeof(float));
                for (int64_t panel = 0; panel < wide; ++panel) {
                    const float *left = m + place * space.m_plane + 2 * panel * block * VL;
                    const bool is_whole = (2 * panel + 1) * VL < K;
                    const float *right = is_whole ? left + block * VL : left;  // else its sums are never read
                    for (int row = 0; row < VL; row += GRAD_ROWS)
                        accumulate(v + place * space.v_plane + chunk * block * VL + row, left, right,
                                   sums + row * u_stride + panel * N, u_stride, here);
                }
            }
        });
    }
    parallel(grad.threads, [&](int thread, int threads) {  // gw = Gᵀ dU G
        for (Share share(C, thread, threads); share.begin < share.end; ++share.begin) {
            const int64_t c = share.begin;
            for (int64_t k = 0; k < K; k += VL) {
                vec half[3][6], line[6], g[3];
                for (int j = 0; j < 6; ++j) {
                    for (int i = 0; i < 6; ++i)
                        line[i] = load(u + (6 * i + j) * space.u_plane + c * u_stride + k);
                    weight_adjoint_line(line, g);
                    for (int i = 0; i < 3; ++i) half[i][j] = g[i];
                }
                for (int i = 0; i < 3; ++i) {
                    weight_adjoint_line(half[i], g);
                    for (int j = 0; j < 3; ++j) {
                        vec scaled = g[j] * grad.scale;
                        for (int lane = 0; lane < VL && k + lane < K; ++lane)
                            grad.grad_w[((k + lane) * C + c) * 9 + 3 * i + j] = scaled[lane];
                    }
                }
            }
        }
    });
}

// ── weights ─────────────────────────────────────────────────────────────────────────────────────────

void conv3x3_pack(const swapae_conv3x3_pack *given) {
    const swapae_conv3x3_pack &pack = *given;
    const int64_t C = pack.in_channels, K = pack.out_channels, wide = panels(K), deep = chunks(C) * VL;
    const int64_t out_stride = pack.transposed ? 9 : 9 * C, in_stride = pack.transposed ? 9 * K : 9;
    parallel(pack.threads, [&](int thread, int threads) {
        for (Share share(wide * deep, thread, threads); share.begin < share.end; ++share.begin) {
            const int64_t panel = share.begin / deep, c = share.begin % deep;
            for (int part = 0; part < N; part += VL) {
                float taps[9][VL] = {};
                for (int lane = 0; lane < VL && c < C; ++lane) {
                    const int64_t k = panel * N + part + lane;
                    if (k >= K) break;
                    const float *w = pack.weight + k * out_stride + c * in_stride;
                    for (int tap = 0; tap < 9; ++tap)
                        taps[tap][lane] = pack.scale * w[pack.transposed ? 8 - tap : tap];
                }
                vec half[6][3], column[3], line[6];
                for (int j = 0; j < 3; ++j) {
                    for (int i = 0; i < 3; ++i) column[i] = load(taps[3 * i + j]);
                    weight_line(column, line);
                    for (int i = 0; i < 6; ++i) half[i][j] = line[i];
                }
                for (int i = 0; i < 6; ++i) {
                    weight_line(half[i], line);
                    for (int j = 0; j < 6; ++j)
                        store(pack.packed + (((6 * i + j) * wide + panel) * deep + c) * N + part, line[j]);
                }
            }
        }
    });
}

// ── for the table of kernels ────────────────────────────────────────────────────────────────────────

int64_t conv3x3_packed_floats(int64_t in_channels, int64_t out_channels) {
    return PLACES * panels(out_channels) * N * chunks(in_channels) * VL;
}
int64_t conv3x3_workspace_floats(int64_t in_channels, int64_t out_channels, int64_t tiles) {
    return ForwardSpace(in_channels, out_channels, tiles).floats();
}
int64_t conv3x3_grad_workspace_floats(int64_t in_channels, int64_t out_channels, int64_t tiles) {
    return GradSpace(in_channels, out_channels, tiles).floats();
}

}  // namespace ISA
