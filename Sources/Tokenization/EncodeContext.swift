/// What one thread keeps between texts: the tokens of pre-tokens it has seen, and room to merge in. Never shared, hence no locks.
///
/// The cache is direct-mapped: a pre-token of up to 15 bytes and 5 tokens has one place, and takes it from whatever was there.
/// Its memory is fixed, and what it holds never changes the result.
public struct EncodeContext: Sendable {
  /// A cached pre-token: its bytes and length in two words, its tokens in line.
  struct Slot: Sendable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count: UInt32 = 0
    var first: UInt32 = 0
    var second: UInt32 = 0
    var third: UInt32 = 0
    var fourth: UInt32 = 0
    var fifth: UInt32 = 0
  }

  /// Room for the merge loops.
  struct Scratch: Sendable {
    var symbols = [UInt32](repeating: 0, count: WordMerger.shortWord)
    var pairs = [WordMerger.Pair](repeating: (rank: 0, token: 0), count: WordMerger.shortWord)
    var long = LongWord()
  }

  var slots: [Slot]
  var scratch = Scratch()
  /// The tokenizer whose tokens the cache holds.
  var owner: Tokenizer.Tables?

  /// Creates an empty context.
  /// - Parameter cacheBits: log₂ of the number of cached pre-tokens of 40 bytes each.
  public init(cacheBits: Int = 15) {
    slots = [Slot](repeating: Slot(), count: 1 << min(24, max(0, cacheBits)))
  }

  /// Empties the cache where it belongs to another tokenizer.
  mutating func adopt(_ tables: Tokenizer.Tables) {
    guard owner !== tables else { return }
    if owner != nil { slots = [Slot](repeating: Slot(), count: slots.count) }
    owner = tables
  }
}
