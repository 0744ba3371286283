// Rows, then columns, each by a sparse matrix: blurs, halvings, doublings, paddings, and the adjoints of all.

#include "kernels.h"
#include "parallel.h"
#include "simd.h"

namespace ISA {

constexpr int MOST = 16;  // lines added in one pass; a row of a matrix may have more entries

// Σ weightᵢ · lineᵢ, [count] floats each, added to what is in `out` or in its place.
static void combine(const float *const lines[], const float *weight, int num, float *out, int64_t count,
                    bool add) {
    for (int64_t c = 0; c < count; c += VL) {
        vec sum = add ? load(out + c, count - c) : vec{};
        for (int i = 0; i < num; ++i) sum += weight[i] * load(lines[i] + c, count - c);
        store(out + c, sum, count - c);
    }
}

// One row of the vertical product, from image `x` of lines of `line` floats.
static void combine_lines(const swapae_lines &matrix, int64_t i, const float *x, int64_t line, float *out) {
    int32_t entry = matrix.begin[i];
    const int32_t end = matrix.begin[i + 1];
    bool add = false;
    do {
        const float *lines[MOST];
        const int num = end - entry < MOST ? end - entry : MOST;
        for (int one = 0; one < num; ++one) lines[one] = x + matrix.index[entry + one] * line;
        combine(lines, matrix.weight + entry, num, out, line, add);
        entry += num;
        add = true;
    } while (entry < end);
}

struct Epilogue {
    const swapae_resample &op;

    vec operator()(vec v, int64_t channel, int64_t count, float noise) const {
        if (op.bias) v += load(op.bias + channel, count);
        return leaky(v + noise, op.slope) * op.gain;
    }
};

template <int NUM>
static void combine_columns(const float *row, const int32_t *index, const float *weight, int num, float *out,
                            int64_t channels, float noise, const Epilogue &epilogue) {
    const int entries = NUM ? NUM : num;
    for (int64_t c = 0; c < channels; c += VL) {
        const int64_t count = channels - c;
        vec sum = {};
        for (int i = 0; i < entries; ++i) sum += weight[i] * load(row + index[i] * channels + c, count);
        store(out + c, epilogue(sum, c, count, noise), count);
    }
}

void resample(const swapae_resample *given) {
    const swapae_resample &op = *given;
    const int64_t C = op.channels, line = op.width * C;
    const int64_t out_height = op.vertical.rows, out_width = op.horizontal.rows;
    const Epilogue epilogue{op};
    parallel(op.threads, [&](int thread, int threads) {
        float *row = op.workspace + thread * line;
        for (Share share(op.batch * out_height, thread, threads); share.begin < share.end; ++share.begin) {
            const int64_t image = share.begin / out_height, i = share.begin % out_height;
            combine_lines(op.vertical, i, op.x + image * op.height * line, line, row);

            const int64_t noise_image = op.noise_batch > 1 ? image : 0;
            for (int64_t j = 0; j < out_width; ++j) {
                const int32_t start = op.horizontal.begin[j], n = op.horizontal.begin[j + 1] - start;
                const int32_t *index = op.horizontal.index + start;
                const float *weight = op.horizontal.weight + start;
                float noise = 0;
                if (op.noise)
                    noise = op.noise_weight * op.noise[(noise_image * out_height + i) * out_width + j];
                float *out = op.y + (share.begin * out_width + j) * C;
                if (n == 4) combine_columns<4>(row, index, weight, n, out, C, noise, epilogue);
                else if (n == 2) combine_columns<2>(row, index, weight, n, out, C, noise, epilogue);
                else combine_columns<0>(row, index, weight, n, out, C, noise, epilogue);
            }
        }
    });
}

}  // namespace ISA
