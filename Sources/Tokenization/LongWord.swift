/// The merge loop of a long pre-token: a linked list of symbols and a heap of candidate merges, O(n log n) in its length, so that
/// a megabyte without a blank costs no more per byte than prose.
struct LongWord: Sendable {
  private var symbols: [UInt32] = []
  private var ranks: [UInt32] = []
  private var next: [UInt32] = []
  private var previous: [UInt32] = []
  private var heap: [UInt64] = []
  private static let end = UInt32.max

  /// Appends the tokens of a word of single-byte tokens.
  mutating func encode(
    _ word: UnsafeBufferPointer<UInt8>, byteTokens: UnsafePointer<UInt32>, merges: MergeTable.View, into ids: inout [UInt32]
  ) {
    let count = word.count
    symbols.removeAll(keepingCapacity: true)
    for byte in word { symbols.append(byteTokens[Int(byte)]) }
    ranks = [UInt32](repeating: MergeTable.never, count: count)
    next = [UInt32](repeating: Self.end, count: count)
    previous = [UInt32](repeating: Self.end, count: count)
    heap.removeAll(keepingCapacity: true)
    for index in 0..<count {
      if index > 0 { previous[index] = UInt32(index - 1) }
      guard index + 1 < count else { continue }
      next[index] = UInt32(index + 1)
      ranks[index] = merges.look(symbols[index], symbols[index + 1]).rank
      if ranks[index] != MergeTable.never { heap.append(UInt64(ranks[index]) << 32 | UInt64(index)) }
    }
    var root = heap.count / 2
    while root > 0 {
      root -= 1
      sink(root)
    }
    while let best = pop() { apply(best, merges) }
    var index: UInt32 = 0
    while index != Self.end {
      ids.append(symbols[Int(index)])
      index = next[Int(index)]
    }
    // A single huge word must not keep its room for ever.
    if count > 1 << 20 { self = LongWord() }
  }

  /// Merges at a candidate unless it is out of date, and puts forward the two new pairs.
  private mutating func apply(_ candidate: UInt64, _ merges: MergeTable.View) {
    let left = Int(candidate & 0xFFFF_FFFF)
    guard ranks[left] == UInt32(candidate >> 32) else { return }
    let right = Int(next[left])
    symbols[left] = merges.look(symbols[left], symbols[right]).token
    ranks[right] = MergeTable.never
    next[left] = next[right]
    if next[left] != Self.end { previous[Int(next[left])] = UInt32(left) }
    refresh(left, merges)
    if previous[left] != Self.end { refresh(Int(previous[left]), merges) }
  }

  private mutating func refresh(_ index: Int, _ merges: MergeTable.View) {
    ranks[index] = next[index] == Self.end ? MergeTable.never : merges.look(symbols[index], symbols[Int(next[index])]).rank
    if ranks[index] != MergeTable.never { push(UInt64(ranks[index]) << 32 | UInt64(index)) }
  }

  private mutating func push(_ value: UInt64) {
    heap.append(value)
    var index = heap.count - 1
    while index > 0, heap[(index - 1) / 2] > value {
      heap[index] = heap[(index - 1) / 2]
      index = (index - 1) / 2
    }
    heap[index] = value
  }

  private mutating func pop() -> UInt64? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return top
  }

  private mutating func sink(_ start: Int) {
    let value = heap[start]
    var index = start
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < value else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = value
  }
}
