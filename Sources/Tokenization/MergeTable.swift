/// Which pairs of tokens merge, at what rank, into what: open addressing, 16 bytes a slot, at most half full.
struct MergeTable: Sendable {
  /// A slot; `rank == UInt32.max` where it is empty.
  struct Slot: Sendable {
    var pair: UInt64
    var rank: UInt32
    var token: UInt32
  }

  /// The rank of a pair that does not merge.
  static let never = UInt32.max

  private(set) var slots: [Slot]
  private(set) var shift: UInt64
  /// The first merge of a pair that merges already.
  private(set) var repeated: Int?

  /// Builds the table.
  init(_ merges: [Tokenizer.Merge]) {
    var bits: UInt64 = 4
    while 1 << bits < 2 * merges.count { bits += 1 }
    shift = 64 - bits
    slots = [Slot](repeating: Slot(pair: 0, rank: Self.never, token: 0), count: 1 << bits)
    let mask = slots.count - 1
    for (rank, merge) in merges.enumerated() {
      let pair = UInt64(merge.left) << 32 | UInt64(merge.right)
      var slot = Int((pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
      while slots[slot].rank != Self.never, slots[slot].pair != pair { slot = (slot + 1) & mask }
      if slots[slot].rank != Self.never, repeated == nil { repeated = rank }
      slots[slot] = Slot(pair: pair, rank: UInt32(rank), token: merge.token)
    }
  }

  /// The table for the time of a loop.
  struct View {
    let slots: UnsafePointer<Slot>
    let mask: Int
    let shift: UInt64

    /// The rank and the product of a pair.
    @inline(__always)
    func look(_ left: UInt32, _ right: UInt32) -> (rank: UInt32, token: UInt32) {
      let pair = UInt64(left) << 32 | UInt64(right)
      var slot = Int((pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
      while true {
        let found = slots[slot]
        if found.pair == pair || found.rank == MergeTable.never { return (found.rank, found.token) }
        slot = (slot + 1) & mask
      }
    }
  }
}
