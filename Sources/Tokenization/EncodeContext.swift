/// What one thread keeps between texts: the tokens of pre-tokens it has seen, and room to merge in. Never shared, hence no locks.
///
/// The cache is direct-mapped: a pre-token of up to 15 bytes and 5 tokens has one place, and takes it from whatever was there.
/// Its memory is fixed, and what it holds never changes the result.
public struct EncodeContext: Sendable {
  /// A cached pre-token in 32 bytes: its bytes and length in two words, up to five tokens of 24 bits and their number in two more.
  struct Slot: Sendable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    private var front: UInt64 = 0
    private var back: UInt64 = 0

    /// The most tokens a slot holds.
    static let room = 5

    /// An empty slot: no pre-token has length 0.
    init() {}

    /// A slot of 1 to `room` tokens.
    init(low: UInt64, high: UInt64, tokens: ArraySlice<UInt32>) {
      self.low = low
      self.high = high
      back = UInt64(tokens.count) << 56
      for (index, token) in tokens.enumerated() {
        switch index {
        case 0: front |= UInt64(token)
        case 1: front |= UInt64(token) << 24
        case 2: back |= UInt64(token)
        case 3: back |= UInt64(token) << 24
        default:
          front |= UInt64(token) << 48
          back |= UInt64(token >> 16) << 48
        }
      }
    }

    /// Appends the tokens.
    @inline(__always)
    func append(to ids: inout [UInt32]) {
      let mask: UInt64 = 0xFF_FFFF
      ids.append(UInt32(front & mask))
      let count = back >> 56
      if count < 2 { return }
      ids.append(UInt32(front >> 24 & mask))
      if count < 3 { return }
      ids.append(UInt32(back & mask))
      if count < 4 { return }
      ids.append(UInt32(back >> 24 & mask))
      if count < 5 { return }
      ids.append(UInt32(front >> 48 | (back >> 48 & 0xFF) << 16))
    }
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
  /// - Parameter cacheBits: log₂ of the number of cached pre-tokens of 32 bytes each.
  public init(cacheBits: Int = 16) {
    slots = [Slot](repeating: Slot(), count: 1 << min(24, max(0, cacheBits)))
  }

  /// Empties the cache where it belongs to another tokenizer.
  mutating func adopt(_ tables: Tokenizer.Tables) {
    guard owner !== tables else { return }
    if owner != nil { slots = [Slot](repeating: Slot(), count: slots.count) }
    owner = tables
  }
}
