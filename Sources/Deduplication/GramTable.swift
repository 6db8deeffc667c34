/// Maps the fingerprint of an n-gram to the evaluation texts that contain it: a Bloom filter, which rejects most n-grams of a corpus, in
/// front of a hash table. N-grams are numbered from 0.
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

  var count: Int { keys.count }

  /// Calls `body` with the index of each n-gram in the table and its number.
  func search(_ grams: UnsafeBufferPointer<UInt64>, _ body: (Int, Int) -> Void) {
    guard !keys.isEmpty else { return }
    filter.withUnsafeBufferPointer { filter in
      for (index, gram) in grams.enumerated() {
        let bits = Self.bits(gram)
        if filter[Int(truncatingIfNeeded: gram >> filterShift)] & bits != bits { continue }
        if let number = number(of: gram) { body(index, number) }
      }
    }
  }

  /// The two bits that a fingerprint sets in its word of the filter.
  private static func bits(_ gram: UInt64) -> UInt64 { 1 << (gram & 63) | 1 << (gram >> 6 & 63) }

  /// The evaluation texts that contain an n-gram, ascending.
  func owners(of number: Int) -> ArraySlice<UInt32> { owners[Int(starts[number])..<Int(starts[number + 1])] }

  /// The fingerprint of an n-gram.
  func gram(_ number: Int) -> UInt64 { keys[number] }

  /// The number of an n-gram; nil where it is not in the table.
  func number(of gram: UInt64) -> Int? {
    var slot = Int(truncatingIfNeeded: gram) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if keys[index] == gram { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }
}
