import Primitives
import Testing

@Test(arguments: [1, 2, 3, 5, 64, 100, 1000, 4097]) func aPermutationHitsEachElementOnce(count: Int) {
  for seed in 0..<5 as Range<UInt64> {
    let permutation = Permutation(count: count, seed: seed, stream: seed &* 7)
    #expect(Set((0..<count).map { permutation[$0] }).count == count)
  }
}

@Test func permutationsOfDifferentStreamsDiffer() {
  let one = Permutation(count: 1000, seed: 1, stream: 0)
  let two = Permutation(count: 1000, seed: 1, stream: 1)
  let same = (0..<1000).count { one[$0] == two[$0] }
  #expect(same < 20)
  // No trace of the order: the correlation of position and image is near 0 (three standard errors).
  let correlation = (0..<1000).reduce(0.0) { $0 + (Double($1) - 499.5) * (Double(one[$1]) - 499.5) } / (1000 * 83333.25)
  #expect(abs(correlation) < 0.1)
}

@Test func counterRandomIsUniform() {
  let random = CounterRandom(seed: 9, stream: 3)
  var counts = [Int](repeating: 0, count: 10)
  for index in 0..<100_000 as Range<UInt64> { counts[random.integer(index, below: 10)] += 1 }
  let chi = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
  #expect(chi < 33.7)  // χ²(9) at p = 10⁻⁴
  #expect(CounterRandom(seed: 9, stream: 4).bits(0) != random.bits(0))
}
