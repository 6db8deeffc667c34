import CKernels
import Foundation
import Primitives
import Testing
import Training

@Suite struct KernelTests {
  /// Random numbers of both signs, some of them large.
  private func numbers(_ count: Int, _ random: inout SequentialRandom, size: Double = 4) -> [Float] {
    (0..<count).map { _ in Float(size * (2 * random.uniform() - 1)) }
  }

  @Test func exponentialIsAccurateToOneInAMillion() {
    // silu(g)·(1 + e^−g) / g = 1 reveals the error of the exponential in silu; its argument is clamped to ±87.
    for start in stride(from: -80.0, to: 80, by: 3.7) {
      let gate = (0..<16).map { Float(start + Double($0) * 0.23) }, up = [Float](repeating: 1, count: 16)
      var out = [Float](repeating: 0, count: 16)
      weir_swiglu_forward(gate + up, &out, 1, 16)
      for (g, o) in zip(gate, out) {
        let expected = Double(g) / (1 + exp(-Double(g)))
        #expect(abs(Double(o) - expected) <= 2e-6 * abs(expected) + 1e-35)
      }
    }
  }

  @Test(arguments: [1, 2, 15, 16, 17, 33, 64]) func normsAndGatesAreCorrectAtAnyWidth(_ width: Int) {
    var random = SequentialRandom(seed: UInt64(width))
    let tokens = 3, x = numbers(tokens * width, &random), gain = numbers(width, &random), dy = numbers(tokens * width, &random)
    var out = [Float](repeating: 0, count: tokens * width), scale = [Float](repeating: 0, count: tokens), dx = out
    var dgain = [Float](repeating: 0, count: width)
    weir_rmsnorm_forward(x, gain, &out, &scale, tokens, width, 1e-5)
    weir_rmsnorm_backward(x, gain, scale, dy, nil, &dx, &dgain, tokens, width)
    for t in 0..<tokens {
      let row = (0..<width).map { Double(x[t * width + $0]) }
      let r = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
      let dot = (0..<width).reduce(0.0) { $0 + row[$1] * Double(gain[$1]) * Double(dy[t * width + $1]) }
      for j in 0..<width {
        #expect(abs(Double(out[t * width + j]) - row[j] * r * Double(gain[j])) < 1e-5)
        let expected = Double(dy[t * width + j]) * Double(gain[j]) * r - row[j] * dot * r * r * r / Double(width)
        #expect(abs(Double(dx[t * width + j]) - expected) < 1e-4)
      }
    }
    let gateup = numbers(tokens * 2 * width, &random), up = numbers(tokens * width, &random)
    var dgateup = [Float](repeating: 0, count: tokens * 2 * width)
    weir_swiglu_backward(gateup, up, &dgateup, tokens, width)
    for t in 0..<tokens {
      for j in 0..<width {
        let g = Double(gateup[t * 2 * width + j]), u = Double(gateup[t * 2 * width + width + j]), d = Double(up[t * width + j])
        let s = 1 / (1 + exp(-g))
        #expect(abs(Double(dgateup[t * 2 * width + j]) - d * u * s * (1 + g * (1 - s))) < 1e-4)
        #expect(abs(Double(dgateup[t * 2 * width + width + j]) - d * g * s) < 1e-4)
      }
    }
  }

  @Test func crossEntropyOfLargeLogitsIsFinite() {
    for vocabulary in [3, 16, 21, 40] {
      for size in [1.0, 100, 10_000] {
        var random = SequentialRandom(seed: UInt64(vocabulary))
        var logits = numbers(2 * vocabulary, &random, size: size), losses: [Float] = [0, 0]
        let row = logits.prefix(vocabulary).map(Double.init), expected = -Reference.logSoftmax(row)[1]
        weir_cross_entropy(&logits, 2, vocabulary, [1, -1], &losses, 0.5, 0, nil, 0)
        #expect(abs(Double(losses[0]) - expected) < 1e-5 * max(1, size))
        #expect(losses[1] == 0)
        #expect(logits.suffix(vocabulary).allSatisfy { $0 == 0 })
        let p = Reference.logSoftmax(row).map { exp($0) }
        for j in 0..<vocabulary { #expect(abs(Double(logits[j]) - 0.5 * (p[j] - (j == 1 ? 1 : 0))) < 1e-5) }
      }
    }
  }

  @Test func adamwMatchesPyTorch() {
    var random = SequentialRandom(seed: 4)
    let count = 37, start = numbers(count, &random)
    var p = start, m = [Float](repeating: 0, count: count), v = m
    var pd = start.map(Double.init), md = [Double](repeating: 0, count: count), vd = md
    for step in 1...5 {
      let g = numbers(count, &random)
      weir_adamw(
        &p, g, &m, &v, count, 0.5, 0.01, 0.9, 0.95, 1e-8, 0.1, Float(1 - pow(0.9, Double(step))), Float(1 - pow(0.95, Double(step))))
      for i in 0..<count {
        let gradient = Double(g[i]) * 0.5
        pd[i] *= 1 - 0.01 * 0.1
        md[i] = 0.9 * md[i] + 0.1 * gradient
        vd[i] = 0.95 * vd[i] + 0.05 * gradient * gradient
        pd[i] -= 0.01 / (1 - pow(0.9, Double(step))) * md[i] / ((vd[i] / (1 - pow(0.95, Double(step)))).squareRoot() + 1e-8)
      }
    }
    for i in 0..<count { #expect(abs(Double(p[i]) - pd[i]) < 1e-5) }
  }

  @Test(arguments: [1, 2, 47, 48, 49, 130]) func attentionToEqualKeysIsAnAverage(_ tokens: Int) {
    // With equal keys, all visible values have the same weight.
    let head = 10
    var random = SequentialRandom(seed: UInt64(tokens))
    let values = numbers(tokens * head, &random)
    var qkv: [Float] = []
    for t in 0..<tokens { qkv += numbers(head, &random) + [Float](repeating: 0.5, count: head) + values[t * head..<(t + 1) * head] }
    let starts = (0..<tokens).map { Int32($0 / 20 * 20) }
    var out = [Float](repeating: 0, count: tokens * head), sums = [Float](repeating: 0, count: tokens)
    qkv.withUnsafeBufferPointer { x in
      weir_attention_forward(
        x.baseAddress!, x.baseAddress! + head, x.baseAddress! + 2 * head, 3 * head, starts, tokens, head, 0.3, &out, head, &sums, 1)
    }
    for t in 0..<tokens {
      for i in 0..<head {
        let seen = (Int(starts[t])...t).map { Double(values[$0 * head + i]) }
        #expect(abs(Double(out[t * head + i]) - seen.reduce(0, +) / Double(seen.count)) < 1e-5)
      }
    }
  }
}
