import Pipeline
import Primitives

/// Learns merges from counted words (Sennrich, Haddow, Birch 2016, Algorithm 1), incrementally.
///
/// All words are concatenated in one array; a symbol of n bytes takes n slots, with its id in the first and its length in the first and the
/// last, so both neighbors are found in O(1). Every pair knows its positions; merging a pair touches only those and updates the counts
/// around them. A heap with lazy deletion gives the next pair. Cost: O(symbols) to set up, then O(occurrences · log pairs) over all merges,
/// independent of word length. Memory: 16 bytes per byte of distinct words, plus the positions.
struct MergeLearner {
  private static let boundary = UInt32.max

  /// One slot; its members are read together.
  private struct Place {
    var id: UInt32
    var length: UInt32
    var word: UInt32
  }

  private var places: [Place] = []
  private let counts: [Int]
  private var table = PairTable()
  /// The last step in which each pair gained, so that a step pushes it once.
  private var stamps: [UInt32] = []
  private var step: UInt32 = 0

  init(_ source: WordCounts, byteTokens: [UInt32]) throws {
    let places = source.map.byteCount + source.count + 1
    guard places < Int(UInt32.max) else {
      throw WeirError("tokenizer train", "the distinct words exceed 4 GB", remedy: "use fewer documents")
    }
    counts = source.counts
    self.places.reserveCapacity(places)
    separate(word: 0)
    for word in 0..<source.count {
      source.map.withKey(word) { key in
        for byte in key {
          self.places.append(Place(id: byteTokens[Int(byte)], length: 1, word: UInt32(word)))
        }
      }
      separate(word: word)
    }
    for place in 1..<max(1, self.places.count - 1) {
      let (left, right) = (self.places[place], self.places[place + 1])
      if left.id != Self.boundary, right.id != Self.boundary { gain(place, left.id, right.id, counts[Int(left.word)]) }
    }
  }

  private mutating func separate(word: Int) {
    places.append(Place(id: Self.boundary, length: 1, word: UInt32(word)))
  }

  @discardableResult
  private mutating func gain(_ place: Int, _ left: UInt32, _ right: UInt32, _ count: Int) -> Int {
    let index = table.index(left, right)
    table.counts[index] += count
    table.positions[index].append(UInt32(place))
    return index
  }

  private mutating func lose(_ left: UInt32, _ right: UInt32, _ count: Int) {
    table.counts[table.index(left, right)] -= count
  }

  /// Learns merges until the vocabulary is full or no pair is frequent enough.
  /// - Parameters:
  ///   - vocabulary: the tokens so far; grows.
  ///   - size: final vocabulary size.
  ///   - minimum: minimum count of a pair to merge.
  ///   - longest: maximum length of a token in bytes.
  /// - Returns: the merges in order.
  mutating func learn(
    into vocabulary: inout TrainingVocabulary, size: Int, minimum: Int, longest: Int, progress: Progress
  ) throws -> [(left: UInt32, right: UInt32)] {
    var heap = PairHeap(
      table.pairs.indices.compactMap { index in
        table.counts[index] > 0 ? .init(count: table.counts[index], pair: table.pairs[index], index: index) : nil
      })
    var merges: [(left: UInt32, right: UInt32)] = []
    var known: Set<UInt64> = []
    var touched: [Int] = []
    try progress.checkStop()
    while vocabulary.count < size, let top = heap.pop() {
      let count = table.counts[top.index]
      guard count == top.count else {
        if count > 0 { heap.push(.init(count: count, pair: top.pair, index: top.index)) }
        continue
      }
      if count < max(1, minimum) { break }
      let left = UInt32(top.pair >> 32)
      let right = UInt32(truncatingIfNeeded: top.pair)
      guard let token = vocabulary.token(left, right) else {
        // It would spell a special token, which text must never produce.
        table.counts[top.index] = 0
        continue
      }
      if known.insert(top.pair).inserted { merges.append((left, right)) }
      touched.removeAll(keepingCapacity: true)
      step += 1
      apply(top.index, left, right, token, longest, &touched)
      for index in touched where table.counts[index] > 0 {
        heap.push(.init(count: table.counts[index], pair: table.pairs[index], index: index))
      }
      if merges.count % 256 == 0 {
        progress.update(Double(vocabulary.count), of: Double(size), unit: "tokens")
        try progress.checkStop()
      }
    }
    return merges
  }

  /// Merges every occurrence of a pair from left to right; `touched` receives the pairs that gained, each once.
  private mutating func apply(_ pair: Int, _ left: UInt32, _ right: UInt32, _ token: UInt32, _ longest: Int, _ touched: inout [Int]) {
    let positions = table.positions[pair]
    table.positions[pair] = []
    for position in positions {
      let place = Int(position)
      let first = places[place]
      let second = place + Int(first.length)
      guard first.id == left, places[second].id == right else { continue }
      let count = counts[Int(first.word)]
      let after = second + Int(places[second].length)
      let length = UInt32(after - place)
      places[second].id = Self.boundary
      places[place].id = token
      places[place].length = length
      places[after - 1].length = length
      let previous = place - Int(places[place - 1].length)
      let before = places[previous].id
      if before != Self.boundary {
        lose(before, left, count)
        if after - previous <= longest { gained(gain(previous, before, token, count), &touched) }
      }
      let next = places[after].id
      if next != Self.boundary {
        lose(right, next, count)
        if after + Int(places[after].length) - place <= longest { gained(gain(place, token, next, count), &touched) }
      }
    }
    // Overlapping occurrences (aaa) count more than can be merged; their remainder is no longer a pair.
    table.counts[pair] = 0
  }

  private mutating func gained(_ index: Int, _ touched: inout [Int]) {
    while stamps.count <= index { stamps.append(0) }
    if stamps[index] != step {
      stamps[index] = step
      touched.append(index)
    }
  }
}
