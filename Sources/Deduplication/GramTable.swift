/// Maps the fingerprint of an n-gram to the evaluation texts that contain it: a Bloom filter, which rejects most n-grams of a corpus, in
/// front of a hash table.
struct GramTable: Sendable {
  private let filter: [UInt64]
  private let filterShift: UInt64
  private let slots: [UInt32]
  private let mask: Int
  private let keys: [UInt64]
  private let starts: [UInt32]
  private let owners: [UInt32]

  /// Repeated pairs count once.
  init(_ pairs: [(gram: UInt64, owner: UInt32)]) {
    var keys: [UInt64] = []
    var starts: [UInt32] = []
    var owners: [UInt32] = []
    for pair in pairs.sorted(by: { ($0.gram, $0.owner) < ($1.gram, $1.owner) }) {
      if keys.last != pair.gram {
        keys.append(pair.gram)
        starts.append(UInt32(owners.count))
      } else if owners.last == pair.owner {
        continue
      }
      owners.append(pair.owner)
    }
    starts.append(UInt32(owners.count))
    // 16 to 32 bits per key, and two bits set in one word: a false-positive rate of at most 1 in 60.
    var bits = 7
    while bits < 40, 1 << bits < 16 * keys.count { bits += 1 }
    var filter = [UInt64](repeating: 0, count: 1 << (bits - 6))
    var size = 2
    while size < 2 * keys.count { size *= 2 }
    var slots = [UInt32](repeating: 0, count: size)
    for (index, key) in keys.enumerated() {
      filter[Int(truncatingIfNeeded: key >> UInt64(70 - bits))] |= Self.bits(key)
      var slot = Int(truncatingIfNeeded: key) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = UInt32(index + 1)
    }
    (self.filter, filterShift, self.slots, mask) = (filter, UInt64(70 - bits), slots, size - 1)
    (self.keys, self.starts, self.owners) = (keys, starts, owners)
  }

  var isEmpty: Bool { keys.isEmpty }

  /// Calls `body` with the index and the fingerprint of each n-gram in the table, until it returns true.
  func search(_ grams: UnsafeBufferPointer<UInt64>, _ body: (Int, UInt64) -> Bool) {
    guard !isEmpty else { return }
    filter.withUnsafeBufferPointer { filter in
      for (index, gram) in grams.enumerated() {
        let bits = Self.bits(gram)
        if filter[Int(truncatingIfNeeded: gram >> filterShift)] & bits != bits { continue }
        if find(gram) != nil, body(index, gram) { return }
      }
    }
  }

  /// The two bits that a fingerprint sets in its word of the filter.
  private static func bits(_ gram: UInt64) -> UInt64 { 1 << (gram & 63) | 1 << (gram >> 6 & 63) }

  func contains(_ gram: UInt64) -> Bool { find(gram) != nil }

  /// The evaluation texts that contain an n-gram, ascending.
  func owners(of gram: UInt64) -> ArraySlice<UInt32> {
    guard let index = find(gram) else { return [] }
    return owners[Int(starts[index])..<Int(starts[index + 1])]
  }

  private func find(_ gram: UInt64) -> Int? {
    var slot = Int(truncatingIfNeeded: gram) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if keys[index] == gram { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }
}
