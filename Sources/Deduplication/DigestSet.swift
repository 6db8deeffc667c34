import CKernels
import Storage

/// A set of 128-bit checksums: open addressing with linear probing, 16 bytes a slot, 65 to 85 % full beyond 10,000 members, so 19 to 25
/// bytes a member (twice that for the moment of growing).
struct DigestSet {
  private var slots: [UInt64]
  private(set) var count = 0

  init() { slots = [UInt64](repeating: 0, count: 2 * 1_024) }

  /// Bytes of the table.
  var bytes: Int { slots.count * 8 }

  /// Whether so many more can be added without growing.
  func hasRoom(for more: Int) -> Bool { (count + more) * 20 < slots.count / 2 * 17 }

  /// Bytes that the table takes while it grows to hold so many more.
  func bytesToGrow(for more: Int) -> Int { hasRoom(for: more) ? bytes : bytes + 16 * Self.slots(for: count + more) }

  /// Adds checksums, in order.
  /// - Returns: for each whether it is new; one that is zero is none, and new each time. Expected O(1) each.
  mutating func insert(_ values: [Checksum128]) -> [UInt8] {
    if !hasRoom(for: values.count) { grow(Self.slots(for: count + values.count)) }
    var fresh = [UInt8](repeating: 0, count: values.count)
    let slotCount = slots.count / 2
    values.withUnsafeBytes { values in
      count += weir_digests_insert(&slots, slotCount, values.bindMemory(to: UInt64.self).baseAddress, values.count / 16, &fresh)
    }
    return fresh
  }

  /// For each whether it is not in the set.
  func missing(_ values: [Checksum128]) -> [UInt8] {
    var fresh = [UInt8](repeating: 0, count: values.count)
    values.withUnsafeBytes { values in
      weir_digests_find(slots, slots.count / 2, values.bindMemory(to: UInt64.self).baseAddress, values.count / 16, &fresh)
    }
    return fresh
  }

  private static func slots(for members: Int) -> Int { max(1_024, members < 10_000 ? members * 3 : members * 3 / 2) }

  private mutating func grow(_ wanted: Int) {
    let old = slots
    slots = [UInt64](repeating: 0, count: 2 * max(wanted, slots.count / 2))
    var fresh = [UInt8](repeating: 0, count: 4_096)
    let slotCount = slots.count / 2
    old.withUnsafeBufferPointer { old in
      for start in stride(from: 0, to: old.count, by: 8_192) {
        let part = UnsafeBufferPointer(rebasing: old[start..<min(start + 8_192, old.count)])
        _ = weir_digests_insert(&slots, slotCount, part.baseAddress, part.count / 2, &fresh)
      }
    }
  }
}
