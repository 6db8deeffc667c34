import Storage

/// A set of 128-bit checksums: open addressing with linear probing, 16 bytes a slot, 65 to 85 % full beyond 10,000 members, so 19 to 25
/// bytes a member (twice that for the moment of growing).
struct DigestSet {
  private var slots: [Checksum128]
  private(set) var count = 0

  init() { slots = [Checksum128](repeating: Self.empty, count: 1_024) }

  /// Bytes of the table.
  var bytes: Int { slots.count * 16 }

  private static let empty = Checksum128(high: 0, low: 0)

  /// Adds a checksum.
  /// - Returns: whether it is new. Expected O(1).
  mutating func insert(_ value: Checksum128) -> Bool {
    if count * 20 >= slots.count * 17 { grow() }
    let value = value == Self.empty ? Checksum128(high: 0, low: 1) : value
    guard Self.place(value, in: &slots) else { return false }
    count += 1
    return true
  }

  private static func place(_ value: Checksum128, in slots: inout [Checksum128]) -> Bool {
    // The upper half of a product spreads the upper bits over any number of slots, and keeps their order when the table grows.
    var slot = Int(value.high.multipliedFullWidth(by: UInt64(slots.count)).high)
    while slots[slot] != empty {
      if slots[slot] == value { return false }
      slot += 1
      if slot == slots.count { slot = 0 }
    }
    slots[slot] = value
    return true
  }

  private mutating func grow() {
    let factor = count < 10_000 ? 2.0 : 1.3
    var larger = [Checksum128](repeating: Self.empty, count: Int(Double(slots.count) * factor))
    for value in slots where value != Self.empty { _ = Self.place(value, in: &larger) }
    slots = larger
  }
}
