/// Counts and positions of adjacent symbol pairs.
struct PairTable {
  private var table: [UInt32] = [UInt32](repeating: 0, count: 1 << 12)
  private var shift: UInt64 = 64 - 12
  private(set) var pairs: [UInt64] = []
  /// Occurrences of each pair, weighted by word counts.
  var counts: [Int] = []
  /// Positions of the left symbols of each pair, ascending; some may be stale.
  var positions: [[UInt32]] = []

  /// The number of a pair, which is added if it is new.
  mutating func index(_ left: UInt32, _ right: UInt32) -> Int {
    let pair = UInt64(left) << 32 | UInt64(right)
    var slot = Int((pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
    let mask = table.count - 1
    while table[slot] != 0 {
      let index = Int(table[slot] - 1)
      if pairs[index] == pair { return index }
      slot = (slot + 1) & mask
    }
    pairs.append(pair)
    counts.append(0)
    positions.append([])
    table[slot] = UInt32(pairs.count)
    if 2 * pairs.count > table.count { grow() }
    return pairs.count - 1
  }

  private mutating func grow() {
    shift -= 1
    table = [UInt32](repeating: 0, count: 2 * table.count)
    let mask = table.count - 1
    for (index, pair) in pairs.enumerated() {
      var slot = Int((pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
      while table[slot] != 0 { slot = (slot + 1) & mask }
      table[slot] = UInt32(index + 1)
    }
  }
}
