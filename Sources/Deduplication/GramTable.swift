import CKernels
import Kernels

/// N-grams of evaluation texts, one text after another.
struct GramList {
  private(set) var grams: [UInt64] = []
  fileprivate var texts: [(owner: UInt32, end: Int)] = []

  var count: Int { grams.count }

  /// Adds n-grams of a text. Texts come in ascending order.
  mutating func append(_ more: UnsafeBufferPointer<UInt64>, of owner: UInt32) {
    grams.append(contentsOf: more)
    texts.append((owner, grams.count))
  }
}

/// Maps the fingerprint of an n-gram to the evaluation texts that contain it: a Bloom filter, which rejects most n-grams of a corpus, in
/// front of a hash table. N-grams are numbered from 0 in the order of the texts, so that text in common has consecutive numbers.
struct GramTable: Sendable {
  private let filter: MemoryBlock
  private let slots: MemoryBlock
  private let keys: MemoryBlock
  private nonisolated(unsafe) let table: weir_gram_table
  private let starts: [UInt32]
  private let owners: [UInt32]

  /// The most n-grams that are looked up at once.
  private static let batch = 4_096

  /// An n-gram that is repeated in a text counts once.
  init(_ list: GramList) {
    var numbers = [UInt32](repeating: 0, count: list.count)
    var made = Self.make(list.grams, &numbers)
    let count = made.table.count
    // Where texts repeat each other, a smaller table is faster.
    if count <= list.count / 2 {
      let distinct = Array(UnsafeBufferPointer(start: made.table.keys, count: count))
      var same = [UInt32](repeating: 0, count: count)
      made = Self.make(distinct, &same)
    }
    (filter, slots, keys, table) = made
    // First the number of texts per n-gram, then where they start.
    var starts = [UInt32](repeating: 0, count: count + 1)
    var last = [UInt32](repeating: .max, count: count)
    Self.forEachOwner(list, numbers) { number, owner in
      if last[number] != owner { starts[number + 1] += 1 }
      last[number] = owner
    }
    for number in 0..<count { starts[number + 1] += starts[number] }
    var owners = [UInt32](repeating: 0, count: Int(starts[count]))
    var ends = starts
    Self.forEachOwner(list, numbers) { number, owner in
      if ends[number] > starts[number], owners[Int(ends[number]) - 1] == owner { return }
      owners[Int(ends[number])] = owner
      ends[number] += 1
    }
    (self.starts, self.owners) = (starts, owners)
  }

  private static func make(
    _ grams: [UInt64], _ numbers: inout [UInt32]
  ) -> (filter: MemoryBlock, slots: MemoryBlock, keys: MemoryBlock, table: weir_gram_table) {
    // 8 to 16 bits per n-gram, so that the filter of a million stays in the second-level cache: it passes at most 1 in 20 by mistake.
    var bits = 7
    while bits < 40, 1 << bits < 8 * grams.count { bits += 1 }
    var size = 2
    while 3 * size < 4 * grams.count { size *= 2 }
    let filter = MemoryBlock(bytes: 1 << (bits - 3)), slots = MemoryBlock(bytes: 8 * size), keys = MemoryBlock(bytes: 8 * grams.count)
    var table = weir_gram_table(
      filter: filter.base.assumingMemoryBound(to: UInt64.self), slots: slots.base.assumingMemoryBound(to: UInt64.self),
      keys: keys.base.assumingMemoryBound(to: UInt64.self), mask: size - 1, count: 0, filter_shift: UInt32(70 - bits))
    weir_grams_insert(&table, grams, grams.count, &numbers)
    return (filter, slots, keys, table)
  }

  private static func forEachOwner(_ list: GramList, _ numbers: [UInt32], _ body: (Int, UInt32) -> Void) {
    var place = 0
    for (owner, end) in list.texts {
      for number in numbers[place..<end] { body(Int(number), owner) }
      place = end
    }
  }

  var count: Int { table.count }

  /// Calls `body` with the index of each n-gram in the table and its number.
  func search(_ grams: UnsafeBufferPointer<UInt64>, _ body: (Int, Int) -> Void) {
    guard let base = grams.baseAddress, count > 0 else { return }
    withUnsafePointer(to: table) { table in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * min(grams.count, Self.batch)) { found in
        guard let places = found.baseAddress else { return }
        let numbers = places + found.count / 2
        for start in stride(from: 0, to: grams.count, by: Self.batch) {
          let count = weir_grams_find(table, base + start, min(Self.batch, grams.count - start), places, numbers)
          for index in 0..<count { body(start + Int(places[index]), Int(numbers[index])) }
        }
      }
    }
  }

  /// The evaluation texts that contain an n-gram, ascending.
  func owners(of number: Int) -> ArraySlice<UInt32> { owners[Int(starts[number])..<Int(starts[number + 1])] }

  /// The fingerprint of an n-gram.
  func gram(_ number: Int) -> UInt64 { table.keys[number] }

  /// The number of an n-gram; nil where it is not in the table.
  func number(of gram: UInt64) -> Int? {
    var found: Int?
    withUnsafePointer(to: gram) { search(UnsafeBufferPointer(start: $0, count: 1)) { found = $1 } }
    return found
  }
}
