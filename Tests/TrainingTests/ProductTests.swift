import CKernels
import Foundation
import Primitives
import Testing
import Training

/// Matrix products and attention against naive loops in double precision, for random shapes on every supported instruction set.
@Suite struct ProductTests {
  private func numbers(_ count: Int, _ random: inout SequentialRandom) -> [Float] {
    (0..<count).map { _ in Float(2 * random.uniform() - 1) }
  }

  @Test(arguments: [0, 1, 2], [1, 2, 3] as [UInt64]) func productsEqualNaiveLoops(_ level: Int, _ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    for round in 0..<40 {
      // Every fifth product is large enough to be blocked.
      let m = Int.random(in: 1...40, using: &random), n = Int.random(in: 1...(round % 5 == 0 ? 420 : 70), using: &random)
      let k = Int.random(in: 0...(round % 5 == 1 ? 600 : 70), using: &random)
      let across = (Bool.random(using: &random), Bool.random(using: &random)), add = Bool.random(using: &random)
      let lda = (across.0 ? m : k) + Int.random(in: 0...3, using: &random), ldb = (across.1 ? k : n) + Int.random(in: 0...3, using: &random)
      let ldc = n + Int.random(in: 0...3, using: &random)
      let a = numbers(max(1, (across.0 ? k : m) * lda), &random), b = numbers(max(1, (across.1 ? n : k) * ldb), &random)
      let before = numbers(m * ldc, &random)
      var c = before
      weir_gemm_at(Int32(level), across.0 ? 1 : 0, across.1 ? 1 : 0, m, n, k, a, lda, b, ldb, &c, ldc, add ? 1 : 0)
      var worst = 0.0
      for i in 0..<m {
        for j in 0..<ldc {
          var sum = j < n && !add ? 0 : Double(before[i * ldc + j])
          if j < n {
            for p in 0..<k {
              sum += Double(across.0 ? a[p * lda + i] : a[i * lda + p]) * Double(across.1 ? b[j * ldb + p] : b[p * ldb + j])
            }
          }
          worst = max(worst, abs(sum - Double(c[i * ldc + j])))
        }
      }
      #expect(worst < 2e-5, "\(m) × \(n) × \(k), transposed \(across), add \(add)")
    }
  }

  /// Rounds to the nearest bfloat16, ties to even.
  private func rounded(_ x: Float) -> Double {
    let bits = x.bitPattern
    return Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
  }

  @Test(.enabled(if: Precision.bf16.isSupported), arguments: 1...6 as ClosedRange<UInt64>)
  func halfPrecisionProductsEqualPlainLoopsOverRoundedOperands(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    for round in 0..<20 {
      let m = Int.random(in: 1...40, using: &random), n = Int.random(in: 1...(round % 5 == 0 ? 420 : 70), using: &random)
      let k = Int.random(in: 0...(round % 5 == 1 ? 1_100 : 70), using: &random)
      let across = (Bool.random(using: &random), Bool.random(using: &random)), add = Bool.random(using: &random)
      let lda = across.0 ? m : k, ldb = across.1 ? k : n
      let a = numbers(max(1, m * k), &random), b = numbers(max(1, n * k), &random), before = numbers(m * n, &random)
      var c = before, worst = 0.0
      weir_gemm_bf16(across.0 ? 1 : 0, across.1 ? 1 : 0, m, n, k, a, lda, b, ldb, &c, n, add ? 1 : 0)
      for i in 0..<m {
        for j in 0..<n {
          var sum = add ? Double(before[i * n + j]) : 0
          for p in 0..<k {
            sum += rounded(across.0 ? a[p * lda + i] : a[i * lda + p]) * rounded(across.1 ? b[j * ldb + p] : b[p * ldb + j])
          }
          worst = max(worst, abs(sum - Double(c[i * n + j])))
        }
      }
      #expect(worst < 1e-4, "\(m) × \(n) × \(k), transposed \(across), add \(add)")
    }
  }

  @Test func resultsDoNotDependOnTiling() {
    var random = SequentialRandom(seed: 9)
    let m = 75, n = 130, k = 300
    let a = numbers(m * k, &random), b = numbers(k * n, &random)
    var whole = [Float](repeating: 0, count: m * n), parts = whole
    weir_gemm(0, 0, m, n, k, a, k, b, n, &whole, n, 0)
    for (first, last) in [(0, 7), (7, 40), (40, 75)] {
      for (left, right) in [(0, 33), (33, 130)] {
        parts.withUnsafeMutableBufferPointer { parts in
          a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
              weir_gemm(
                0, 0, last - first, right - left, k, a.baseAddress! + first * k, k, b.baseAddress! + left, n,
                parts.baseAddress! + first * n + left, n, 0)
            }
          }
        }
      }
    }
    #expect(whole.map(\.bitPattern) == parts.map(\.bitPattern))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func attentionAndItsGradientsEqualNaiveLoops(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    let tokens = Int.random(in: 1...150, using: &random), head = 2 * Int.random(in: 1...35, using: &random)
    let group = Int.random(in: 1...3, using: &random), width = group * head, stride = width + 2 * head + 3, scale = 0.4
    let qkv = numbers(tokens * stride, &random), dout = numbers(tokens * width, &random)
    var starts = [Int32](repeating: 0, count: tokens)
    for t in 1..<max(2, tokens) where t < tokens { starts[t] = random.uniform() < 0.03 ? Int32(t) : starts[t - 1] }
    var out = [Float](repeating: 0, count: tokens * width), sums = [Float](repeating: 0, count: tokens * group), d = qkv
    d.withUnsafeMutableBufferPointer { d in
      qkv.withUnsafeBufferPointer { x in
        out.withUnsafeMutableBufferPointer { o in
          sums.withUnsafeMutableBufferPointer { s in
            let q = x.baseAddress!
            for h in 0..<group {
              weir_attention_forward(
                q + h * head, q + width, q + width + head, stride, starts, tokens, head, Float(scale), o.baseAddress! + h * head, width,
                s.baseAddress! + h, group)
            }
            weir_attention_backward(
              q, q + width, q + width + head, stride, starts, tokens, head, group, Float(scale), o.baseAddress!, dout, width,
              s.baseAddress!, group, d.baseAddress!, d.baseAddress! + width, d.baseAddress! + width + head)
          }
        }
      }
    }
    var expected = [Double](repeating: 0, count: tokens * stride), worst = 0.0
    for h in 0..<group {
      for t in 0..<tokens {
        let seen = Int(starts[t])...t, q = t * stride + h * head, o = t * width + h * head
        func dot(_ a: [Float], _ i: Int, _ b: [Float], _ j: Int) -> Double {
          (0..<head).reduce(0) { $0 + Double(a[i + $1]) * Double(b[j + $1]) }
        }
        let weights = seen.map { exp(scale * dot(qkv, q, qkv, $0 * stride + width)) }, total = weights.reduce(0, +)
        let p = weights.map { $0 / total }, dp = seen.map { dot(dout, o, qkv, $0 * stride + width + head) }
        let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
        worst = max(worst, abs(log(total) - Double(sums[t * group + h])))
        for i in 0..<head {
          let value = zip(p, seen).reduce(0) { $0 + $1.0 * Double(qkv[$1.1 * stride + width + head + i]) }
          worst = max(worst, abs(value - Double(out[o + i])))
          for (j, s) in seen.enumerated() {
            let ds = p[j] * (dp[j] - mean) * scale
            expected[q + i] += ds * Double(qkv[s * stride + width + i])
            expected[s * stride + width + i] += ds * Double(qkv[q + i])
            expected[s * stride + width + head + i] += p[j] * Double(dout[o + i])
          }
        }
      }
    }
    for t in 0..<tokens {
      for j in 0..<stride where j < width + 2 * head { worst = max(worst, abs(expected[t * stride + j] - Double(d[t * stride + j]))) }
      for j in width + 2 * head..<stride { #expect(d[t * stride + j] == qkv[t * stride + j], "what lies between tokens is not touched") }
    }
    #expect(worst < 5e-5, "\(tokens) tokens, heads of \(head), \(group) to a key")
  }
}
