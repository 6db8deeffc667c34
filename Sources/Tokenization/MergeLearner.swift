import Pipeline
import Primitives

/// Learns merges from counted words (Sennrich, Haddow, Birch 2016, Algorithm 1), incrementally.
///
/// All words lie one after the other in flat arrays; a symbol of n bytes takes n places, its id at the first, its length at the first
/// and the last, so that both neighbours are found in O(1). Every pair knows its positions; merging a pair touches those alone
/// and updates the counts around them. A heap with lazy deletion gives the next pair. Cost: O(symbols) to set up, then
/// O(occurrences · log pairs) over all merges, whatever the length of a word. Memory: 16 bytes a byte of different words,
/// and the positions.
struct MergeLearner {
  private static let boundary = UInt32.max

  private var ids: [UInt32] = []
  private var lengths: [UInt32] = []
  private var words: [UInt32] = []
  private let counts: [Int]
  private var table = PairTable()
  /// The step in which each pair gained last, so that a step puts it forward once.
  private var stamps: [UInt32] = []
  private var step: UInt32 = 0

  /// Lays the words out.
  init(_ source: WordCounts, byteTokens: [UInt32]) throws {
    let places = source.map.byteCount + source.count + 1
    guard places < Int(UInt32.max) else {
      throw WeirError("tokenizer train", "the different words take more than 4 GB", remedy: "give fewer documents")
    }
    counts = source.counts
    ids.reserveCapacity(places)
    lengths.reserveCapacity(places)
    words.reserveCapacity(places)
    separate(word: 0)
    for word in 0..<source.count {
      source.map.withKey(word) { key in
        for byte in key {
          ids.append(byteTokens[Int(byte)])
          lengths.append(1)
          words.append(UInt32(word))
        }
      }
      separate(word: word)
    }
    for place in 1..<max(1, ids.count - 1) where ids[place] != Self.boundary && ids[place + 1] != Self.boundary {
      gain(place, ids[place], ids[place + 1], counts[Int(words[place])])
    }
  }

  private mutating func separate(word: Int) {
    ids.append(Self.boundary)
    lengths.append(1)
    words.append(UInt32(word))
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

  /// Learns until the vocabulary is full or no pair is frequent enough.
  /// - Parameters:
  ///   - vocabulary: the tokens so far; grows.
  ///   - size: where to stop.
  ///   - minimum: the smallest count of a pair that is merged.
  /// - Returns: the merges in order.
  mutating func learn(
    into vocabulary: inout TrainingVocabulary, size: Int, minimum: Int, progress: Progress
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
        // It would spell a special token, which a text must never give.
        table.counts[top.index] = 0
        continue
      }
      if known.insert(top.pair).inserted { merges.append((left, right)) }
      touched.removeAll(keepingCapacity: true)
      step += 1
      apply(top.index, left, right, token, &touched)
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

  /// Merges every occurrence of a pair from left to right; `touched` gets the pairs that gained, each once.
  private mutating func apply(_ pair: Int, _ left: UInt32, _ right: UInt32, _ token: UInt32, _ touched: inout [Int]) {
    let places = table.positions[pair]
    table.positions[pair] = []
    for place in places.map({ Int($0) }) where ids[place] == left {
      let second = place + Int(lengths[place])
      guard ids[second] == right else { continue }
      let count = counts[Int(words[place])]
      let after = second + Int(lengths[second])
      let length = UInt32(after - place)
      ids[place] = token
      ids[second] = Self.boundary
      lengths[place] = length
      lengths[after - 1] = length
      let previous = place - Int(lengths[place - 1])
      if ids[previous] != Self.boundary {
        lose(ids[previous], left, count)
        gained(gain(previous, ids[previous], token, count), &touched)
      }
      if ids[after] != Self.boundary {
        lose(right, ids[after], count)
        gained(gain(place, token, ids[after], count), &touched)
      }
    }
    // Overlapping occurrences (aaa) count more than can be merged; what is left of them is no pair any more.
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
