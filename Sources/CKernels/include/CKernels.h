// All kernels: one header, so that a new one among them is seen by what was built before.
#pragma once
#include "weir_clusters.h"
#include "weir_encoder.h"
#include "weir_filter.h"
#include "weir_gemm.h"
#include "weir_language.h"
#include "weir_minhash.h"
#include "weir_nearest.h"
#include "weir_pool.h"
#include "weir_recipe.h"
#include "weir_tokenizer.h"
#include "weir_transformer.h"
