import CKernels
import Primitives
import Testing

/// The kernel's cache of tokens: what it holds, and which instructions look, never changes the tokens.
struct CacheTests {
  /// A few words over and over, of all lengths that the tables tell apart, so that one batch has the same new word many times.
  private func text(seed: UInt64) -> [UInt8] {
    var random = SequentialRandom(seed: seed, stream: 41)
    let words = (0..<40).map { _ in
      (0..<([1, 3, 7, 8, 14, 20, 70].randomElement(using: &random) ?? 1)).map { _ in UInt8.random(in: 97...101, using: &random) }
    }
    return (0..<200).flatMap { _ in [32] + (words.randomElement(using: &random) ?? []) }
  }

  /// The tokens of bytes with three merges: ab, cd, abcd.
  private func tokens(_ text: [UInt8], level: Int32, bits: Int32) -> [UInt32] {
    var repeated = 0
    let offsets = (0...256).map(UInt32.init) + [258, 260, 264]
    let merges = weir_merges_create((0..<256).map(UInt32.init), [97, 98, 256, 99, 100, 257, 256, 257, 258], 3, offsets, 259, &repeated)
    let cache = weir_token_cache_create(bits, bits, bits)
    defer {
      weir_merges_destroy(merges)
      weir_token_cache_destroy(cache)
    }
    let classes = (0..<128).map { UInt8($0 == 32 ? 3 : $0 == 10 ? 4 : $0 >= 97 && $0 < 123 ? 1 : 0) }
    var made: [UInt32] = []
    classes.withUnsafeBufferPointer { classes in
      var pattern = weir_pattern(
        classes: classes.baseAddress, limit: 128, family: Int32(WEIR_PATTERN_GPT2), digits: 3, joins: nil, pairs: nil,
        automata: nil, stages: 0, style: 0)
      withUnsafePointer(to: &pattern) { pattern in
        text.withUnsafeBufferPointer { text in
          var cutter = weir_cutter()
          weir_cutter_start(&cutter, pattern, text.baseAddress, text.count)
          cutter.level = level
          var some = [UInt32](repeating: 0, count: Int(WEIR_TOKENS))
          var done: Int32 = 0
          while done == 0 {
            var start = 0
            var end = 0
            let count = weir_encode(cache, merges, &cutter, &some, some.count, &start, &end, &done)
            made += some[..<count]
            var at = 0
            if end > 0 {
              let count = weir_encode_word(merges, text.baseAddress.map { $0 + start }, end - start, &at, &some, 0, some.count)
              made += some[..<count]
            }
          }
        }
      }
    }
    return made
  }

  @Test func neitherItsSizeNorTheInstructionsChangeTokens() {
    for seed in 0..<20 as Range<UInt64> {
      let text = text(seed: seed)
      let expected = tokens(text, level: 0, bits: 12)
      #expect(expected.reduce(0) { $0 + ($1 < 256 ? 1 : $1 < 258 ? 2 : 4) } == text.count)
      for level in 0...weir_cutter_level() {
        for bits in [1, 3, 12] as [Int32] {
          #expect(tokens(text, level: level, bits: bits) == expected, "seed \(seed), level \(level), \(bits) bits")
        }
      }
    }
  }
}
