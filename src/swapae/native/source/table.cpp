// The kernels of one instruction set, as one table.

#include "kernels.h"
#include "simd.h"

namespace ISA {
int64_t conv3x3_packed_floats(int64_t, int64_t);
int64_t conv3x3_workspace_floats(int64_t, int64_t, int64_t);
int64_t conv3x3_grad_workspace_floats(int64_t, int64_t, int64_t);
int64_t activate_grad_slices(int64_t);
void conv3x3(const swapae_conv3x3 *);
void conv3x3_grad(const swapae_conv3x3_grad *);
void conv3x3_pack(const swapae_conv3x3_pack *);
void resample(const swapae_resample *);
void activate(const swapae_activate *);
void activate_grad(const swapae_activate_grad *);
}  // namespace ISA

#define QUOTED(isa) #isa
#define TEXT(isa) QUOTED(isa)

extern "C" const swapae_kernels NAMED(ISA, kernels);
extern "C" const swapae_kernels NAMED(ISA, kernels) = {
    TEXT(ISA),
    ISA::conv3x3_packed_floats,
    ISA::conv3x3_workspace_floats,
    ISA::conv3x3_grad_workspace_floats,
    ISA::activate_grad_slices,
    ISA::conv3x3,
    ISA::conv3x3_grad,
    ISA::conv3x3_pack,
    ISA::resample,
    ISA::activate,
    ISA::activate_grad,
};
