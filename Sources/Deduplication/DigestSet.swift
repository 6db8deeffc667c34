import CKernels
import Kernels
import Storage

/// A set of 128-bit checksums: open addressing with linear probing, 16 bytes per slot. Beyond 10,000 members it is 57 to 85 % full, so it
/// takes 19 to 28 bytes per member (19 more while growing). Lookups are random accesses, so a large table uses large pages.
final class DigestSet {
  private var block: MemoryBlock
  private(set) var count = 0

  init() { block = MemoryBlock(bytes: 16 * 1_024) }

  var bytes: Int { block.bytes }

  private var slots: Int { block.bytes / 16 }
  private var table: UnsafeMutablePointer<UInt64> { block.base.assumingMemoryBound(to: UInt64.self) }

  /// Whether `more` members can be added without growing.
  func hasRoom(for more: Int) -> Bool { (count + more) * 20 < slots * 17 }

  /// Bytes in use while the table grows to hold `more` members.
  func bytesToGrow(for more: Int) -> Int { hasRoom(for: more) ? bytes : bytes + 16 * Self.slots(for: count + more) }

  /// Adds checksums in order. Zero marks an empty slot: it is never stored, and always counts as new. Expected O(1) per checksum.
  /// - Returns: per checksum, 1 if it is new, else 0.
  func insert(_ values: [Checksum128]) -> [UInt8] {
    if !hasRoom(for: values.count) { grow(Self.slots(for: count + values.count)) }
    var fresh = [UInt8](repeating: 0, count: values.count)
    values.withUnsafeBytes { values in
      count += weir_digests_insert(table, slots, values.bindMemory(to: UInt64.self).baseAddress, values.count / 16, &fresh)
    }
    return fresh
  }

  /// Per checksum, 1 if it is not in the set, else 0.
  func missing(_ values: [Checksum128]) -> [UInt8] {
    var fresh = [UInt8](repeating: 0, count: values.count)
    values.withUnsafeBytes { values in
      weir_digests_find(table, slots, values.bindMemory(to: UInt64.self).baseAddress, values.count / 16, &fresh)
    }
    return fresh
  }

  private static func slots(for members: Int) -> Int { max(1_024, members < 10_000 ? members * 3 : members * 7 / 4) }

  private func grow(_ wanted: Int) {
    let old = block, members = old.base.assumingMemoryBound(to: UInt64.self), total = slots
    block = MemoryBlock(bytes: 16 * max(wanted, total))
    var fresh = [UInt8](repeating: 0, count: 4_096)
    for start in stride(from: 0, to: total, by: fresh.count) {
      _ = weir_digests_insert(table, slots, members + 2 * start, min(fresh.count, total - start), &fresh)
    }
    withExtendedLifetime(old) {}
  }
}
