// Products with packed weights by seven half-size products instead of eight (Strassen 1969, in Winograd's form with 15 additions): rows, inputs and outputs
// are split in halves. The sums of weights are computed when they are packed; the sums of rows and of results each take about 1 % of the time.
#include "weir_sentence_encoder.h"
#include "tile.h"

/// 384 inputs at a time: the sums of rows stay in the L2 cache, a panel of half of them in the L1 cache.
enum { panel = 32, piece = 384, products = 7, half_rows = WEIR_STRASSEN_ROWS / 2 };

int weir_strassen_fits(size_t outputs, size_t inputs) { return outputs % (2 * panel) == 0 && inputs % 32 == 0; }

size_t weir_strassen_floats(size_t outputs, size_t inputs) { return products * (outputs / 2) * (inputs / 2); }

/// The weight operand of a product at input k and output n of the halves. The values B[k][n] of the four quarters are
/// one = [0][0], right = [0][1], below = [1][0], last = [1][1].
static float side(int product, float one, float right, float below, float last) {
  switch (product) {
    case 0: return one;
    case 1: return below;
    case 2: return last;
    case 3: return last - (right - one) - below;
    case 4: return right - one;
    case 5: return last - (right - one);
    default: return last - right;
  }
}

void weir_strassen_pack(const float *w, size_t outputs, size_t inputs, float *out) {
  size_t wide = outputs / 2;
  for (size_t first = 0; first < inputs; first += piece) {
    size_t deep = (inputs - first < piece ? inputs - first : piece) / 2;
    for (size_t n = 0; n < wide; n += panel)
      for (int p = 0; p < products; p++, out += deep * panel)
        for (size_t j = n; j < n + panel; j++) {
          const float *row = w + j * inputs + first, *other = row + wide * inputs;
          for (size_t k = 0; k < deep; k++) out[k * panel + j - n] = side(p, row[k], other[k], row[k + deep], other[k + deep]);
        }
  }
}

/// The four sums of rows, [upper][deep] each, of the upper half `a` and the lower half, which has at most as many rows.
WEIR_CLONES static void add_rows(const float *a, size_t upper, size_t lower, size_t ld, size_t deep, float *sums) {
  size_t size = upper * deep;
  for (size_t r = 0; r < upper; r++)
    for (size_t k = 0; k < deep; k += 16) {
      const float *up = a + r * ld + k, *down = up + upper * ld;
      v16 one = *(const u16 *)up, right = *(const u16 *)(up + deep), below = {0}, last = {0};
      if (r < lower) {
        below = *(const u16 *)down;
        last = *(const u16 *)(down + deep);
      }
      float *to = sums + r * deep + k;
      v16 first = below + last, second = first - one;
      *(u16 *)to = first;
      *(u16 *)(to + size) = second;
      *(u16 *)(to + 2 * size) = one - below;
      *(u16 *)(to + 3 * size) = right - second;
    }
}

/// Combines the seven products [half_rows][32] into 32 columns of each quarter of the result.
WEIR_CLONES static void add_products(const float *made, size_t upper, size_t lower, float *out, size_t ld, int adds) {
  enum { size = half_rows * panel };
  for (size_t r = 0; r < upper; r++)
    for (size_t j = 0; j < panel; j += 16) {
      const float *p = made + r * panel + j;
      v16 one = *(const u16 *)p, u2 = one + *(const u16 *)(p + 5 * size), u3 = u2 + *(const u16 *)(p + 6 * size);
      v16 fifth = *(const u16 *)(p + 4 * size), left = one + *(const u16 *)(p + size), right = u2 + fifth + *(const u16 *)(p + 2 * size);
      float *to = out + r * ld + j, *other = to + ld / 2, *down = to + upper * ld, *last = down + ld / 2;
      *(u16 *)to = adds ? *(u16 *)to + left : left;
      *(u16 *)other = adds ? *(u16 *)other + right : right;
      if (r >= lower) continue;
      v16 below = u3 - *(const u16 *)(p + 3 * size), corner = u3 + fifth;
      *(u16 *)down = adds ? *(u16 *)down + below : below;
      *(u16 *)last = adds ? *(u16 *)last + corner : corner;
    }
}

void weir_strassen(const float *x, size_t rows, size_t inputs, const float *packed, size_t outputs, float *out) {
  const weir_tiles *tiles = weir_tiles_at(2);
  size_t upper = (rows + 1) / 2, lower = rows - upper;
  float *made = weir_scratch(0, products * half_rows * panel + 4 * half_rows * piece / 2), *sums = made + products * half_rows * panel;
  for (size_t first = 0; first < inputs; first += piece) {
    size_t deep = (inputs - first < piece ? inputs - first : piece) / 2, size = upper * deep;
    const float *a = x + first;
    add_rows(a, upper, lower, inputs, deep, sums);
    const float *left[products] = {a, a + deep, sums + 3 * size, a + upper * inputs + deep, sums, sums + size, sums + 2 * size};
    for (size_t n = 0; n < outputs / 2; n += panel) {
      for (int p = 0; p < products; p++, packed += deep * panel) {
        int sum = p == 2 || p > 3;
        size_t count = p == 3 ? lower : upper, pitch = sum ? deep : inputs;
        for (size_t r = 0; r < count; r += tiles->height) {
          // Each tile prefetches a part of the next panel.
          const float *next = packed + deep * panel, *from = next + deep * panel * r / count, *to = next + deep * panel * (r + tiles->height) / count;
          for (const float *line = from; line < to; line += 16) __builtin_prefetch(line, 0, 2);
          for (size_t j = 0; j < panel; j += tiles->width)
            tiles->rows(count - r < tiles->height ? count - r : tiles->height, deep, left[p] + r * pitch, pitch, packed + j, panel,
                        made + p * half_rows * panel + r * panel + j, panel, 0);
        }
      }
      add_products(made, upper, lower, out + n, outputs, first > 0);
    }
  }
}
