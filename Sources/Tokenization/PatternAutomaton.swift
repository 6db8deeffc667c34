import CKernels

/// A pattern as a deterministic automaton, in the layout of the kernels (`automaton.h`).
///
/// A state is a list of positions in the pattern, those of preferred alternatives first (Pike 1987; Cox 2007), so that the longest match of the
/// preferred alternative is found in one pass: a position that accepts cuts off all after it. Scalars that no set of the pattern tells apart are
/// one class, of which there are few. Cost: O(1) per character, for any pattern.
package final class PatternAutomaton: Sendable {
  private let pages: [UInt16]
  private let classes: [UInt8]
  private let steps: [UInt32]
  /// The kernel's view of the tables above.
  nonisolated(unsafe) let kernel: UnsafeMutablePointer<weir_automaton>
  private let machine: Machine

  /// - Throws: `PatternError` for a pattern with too many states.
  package init(_ pattern: Pattern) throws {
    machine = try Machine(pattern)
    (pages, classes) = machine.alphabet.table
    steps = machine.steps
    kernel = .allocate(capacity: 1)
    let replacement = machine.alphabet.symbol(of: "\u{FFFD}")
    kernel.initialize(
      to: weir_automaton(
        pages: Self.copy(pages), classes: Self.copy(classes), steps: Self.copy(steps), initial: UInt32(machine.columns),
        end: UInt32(machine.columns - 1), malformed: UInt32(replacement)))
  }

  deinit {
    kernel.pointee.pages.deallocate()
    kernel.pointee.classes.deallocate()
    kernel.pointee.steps.deallocate()
    kernel.deallocate()
  }

  private static func copy<T>(_ array: [T]) -> UnsafePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: array.count)
    memory.initialize(from: array, count: array.count)
    return UnsafePointer(memory)
  }

  /// The non-overlapping matches from left to right.
  func matches(in text: [UInt8]) -> [Range<Int>] {
    var matches: [Range<Int>] = []
    text.withUnsafeBufferPointer { text in
      var at = 0
      while at < text.count {
        let end = weir_automaton_find(kernel, text.baseAddress, text.count, &at)
        if at < text.count { matches.append(at..<end) }
        at = end
      }
    }
    return matches
  }

  /// Whether matches leave out nothing of any text: one character always matches.
  var coversEverything: Bool { machine.coversEverything }

  /// Whether a text of these scalars alone is not split.
  func keepsWhole(_ set: ScalarSet) -> Bool { machine.keepsWhole(set) }
}

/// The classes of scalars that the sets of a pattern tell apart.
private struct Alphabet {
  /// The classes of each set.
  private(set) var members: [ScalarSet: [Bool]] = [:]
  /// Where each run of one class begins, and the class.
  private var runs: [(start: UInt32, symbol: Int)] = []
  private(set) var count = 0

  init(_ sets: Set<ScalarSet>) throws {
    let sets = Array(sets)
    var events: [UInt32: [Int]] = [0: []]
    for (index, set) in sets.enumerated() {
      for range in set.ranges {
        events[range.lowerBound, default: []].append(index)
        if range.upperBound < ScalarSet.limit { events[range.upperBound, default: []].append(index) }
      }
    }
    var inside = [Bool](repeating: false, count: sets.count)
    var symbols: [[Bool]: Int] = [:]
    for start in events.keys.sorted() {
      for index in events[start] ?? [] { inside[index].toggle() }
      let symbol = symbols[inside] ?? symbols.count
      symbols[inside] = symbol
      if runs.last?.symbol != symbol { runs.append((start, symbol)) }
    }
    count = symbols.count
    guard count < 255 else { throw PatternError(reason: "tells more than 254 classes of characters apart, which is not supported") }
    for (index, set) in sets.enumerated() {
      var member = [Bool](repeating: false, count: count)
      for (inside, symbol) in symbols { member[symbol] = inside[index] }
      members[set] = member
    }
  }

  /// Two levels: pages of 256 scalars, equal ones once.
  var table: (pages: [UInt16], classes: [UInt8]) {
    var pages: [UInt16] = []
    var classes: [UInt8] = []
    var known: [[UInt8]: UInt16] = [:]
    var run = 0
    for page in 0..<Int(ScalarSet.limit) / 256 {
      var content = [UInt8](repeating: 0, count: 256)
      for offset in 0..<256 {
        while run + 1 < runs.count, Int(runs[run + 1].start) <= 256 * page + offset { run += 1 }
        content[offset] = UInt8(runs[run].symbol)
      }
      if let number = known[content] {
        pages.append(number)
      } else {
        known[content] = UInt16(classes.count / 256)
        pages.append(UInt16(classes.count / 256))
        classes += content
      }
    }
    return (pages, classes)
  }

  func symbol(of scalar: Unicode.Scalar) -> Int { runs.last { $0.start <= scalar.value }?.symbol ?? 0 }

  /// The classes with a scalar of the set.
  func symbols(in set: ScalarSet) -> [Int] {
    var found: Set<Int> = []
    for (index, run) in runs.enumerated() {
      let end = index + 1 < runs.count ? runs[index + 1].start : ScalarSet.limit
      if set.ranges.contains(where: { $0.lowerBound < end && $0.upperBound > run.start }) { found.insert(run.symbol) }
    }
    return found.sorted()
  }
}

/// The states and their transitions.
private struct Machine {
  private enum Instruction {
    case set([Bool], next: Int)
    case ahead([Bool], orEnd: Bool, next: Int)
    /// In order of preference.
    case either([Int])
    case accept
  }

  private static let mostStates = 4_096

  let alphabet: Alphabet
  private var program: [Instruction] = []
  /// State 0 is dead, state 1 initial.
  private var states: [[Int]] = [[]]
  private var numbers: [[Int]: Int] = [[]: 0]
  private(set) var steps: [UInt32] = []

  /// Symbols, and the end of the text.
  var columns: Int { alphabet.count + 1 }

  init(_ pattern: Pattern) throws {
    alphabet = try Alphabet(Self.sets(of: pattern))
    program.append(.accept)
    let start = try emit(pattern, next: 0)
    _ = number(closure(start))
    steps = [UInt32](repeating: UInt32(WEIR_STOP), count: columns)
    var state = 1
    while state < states.count {
      guard states.count <= Self.mostStates else {
        throw PatternError(reason: "needs more than \(Self.mostStates) states, which is not supported")
      }
      for symbol in 0..<columns { steps.append(entry(state, symbol)) }
      state += 1
    }
  }

  private static func sets(of pattern: Pattern) -> Set<ScalarSet> {
    switch pattern {
    case .set(let set), .ahead(let set, _): [set]
    case .sequence(let parts), .alternatives(let parts): parts.reduce(into: []) { $0.formUnion(sets(of: $1)) }
    case .repeated(let body, _, _, _): sets(of: body)
    }
  }

  /// Adds instructions that match the pattern and go on at `next`; returns the first.
  private mutating func emit(_ pattern: Pattern, next: Int) throws -> Int {
    guard program.count < 100_000 else { throw PatternError(reason: "is too long") }
    switch pattern {
    case .set(let set): return add(.set(alphabet.members[set] ?? [], next: next))
    case .ahead(let set, let orEnd): return add(.ahead(alphabet.members[set] ?? [], orEnd: orEnd, next: next))
    case .sequence(let parts): return try parts.reversed().reduce(next) { try emit($1, next: $0) }
    case .alternatives(let parts): return add(.either(try parts.map { try emit($0, next: next) }))
    case .repeated(let body, let least, let most, let isLazy):
      var end = next
      if let most {
        for _ in least..<max(least, most) {
          let start = try emit(body, next: end)
          end = add(.either(isLazy ? [next, start] : [start, next]))
        }
      } else {
        let loop = add(.accept)
        let start = try emit(body, next: loop)
        program[loop] = .either(isLazy ? [next, start] : [start, next])
        end = loop
      }
      for _ in 0..<least { end = try emit(body, next: end) }
      return end
    }
  }

  private mutating func add(_ instruction: Instruction) -> Int {
    program.append(instruction)
    return program.count - 1
  }

  /// The instructions that wait for a character, reached from one without any.
  private func closure(_ start: Int) -> [Int] {
    var list: [Int] = []
    var seen: Set<Int> = []
    close(start, &list, &seen)
    return list
  }

  private func close(_ at: Int, _ list: inout [Int], _ seen: inout Set<Int>) {
    guard seen.insert(at).inserted else { return }
    if case .either(let parts) = program[at] {
      for part in parts { close(part, &list, &seen) }
    } else {
      list.append(at)
    }
  }

  /// The state after a symbol, and whether a match ends before it.
  private func step(_ state: Int, _ symbol: Int) -> (list: [Int], isMatch: Bool) {
    var list: [Int] = []
    var seen: Set<Int> = []
    var isMatch = false
    let isEnd = symbol == columns - 1
    /// Returns false once a match has cut off what has less preference.
    func run(_ at: Int) -> Bool {
      switch program[at] {
      case .accept:
        isMatch = true
        return false
      case .set(let members, let next):
        if !isEnd, members[symbol] { close(next, &list, &seen) }
        return true
      case .ahead(let members, let orEnd, let next):
        return !(isEnd ? orEnd : members[symbol]) || closure(next).allSatisfy(run)
      case .either: return true
      }
    }
    _ = states[state].allSatisfy(run)
    return (list, isMatch)
  }

  private mutating func number(_ list: [Int]) -> Int {
    if let number = numbers[list] { return number }
    states.append(list)
    numbers[list] = states.count - 1
    return states.count - 1
  }

  private mutating func entry(_ state: Int, _ symbol: Int) -> UInt32 {
    let (list, isMatch) = step(state, symbol)
    if !list.isEmpty { return UInt32(number(list) * columns) | (isMatch ? UInt32(WEIR_MARK) : 0) }
    guard isMatch, symbol < columns - 1 else { return UInt32(WEIR_STOP) | (isMatch ? UInt32(WEIR_MARK) : 0) }
    // The match is over: the next one begins with the same character.
    let again = step(1, symbol).list
    return again.isEmpty ? UInt32(WEIR_STOP | WEIR_MARK) : UInt32(number(again) * columns) | UInt32(WEIR_EMIT)
  }

  /// Whether any first character leads to a match, whatever follows.
  var coversEverything: Bool {
    (0..<columns - 1).allSatisfy { symbol in
      let first = steps[columns + symbol]
      guard first & UInt32(WEIR_STOP) == 0 else { return false }
      return (0..<columns).allSatisfy { steps[Int(first & UInt32(WEIR_ROW)) + $0] & UInt32(WEIR_MARK | WEIR_EMIT) != 0 }
    }
  }

  /// Whether no match begins with a scalar of the set, or every match goes on while there are such scalars.
  func keepsWhole(_ set: ScalarSet) -> Bool {
    let symbols = alphabet.symbols(in: set)
    if symbols.allSatisfy({ steps[columns + $0] & UInt32(WEIR_STOP) != 0 }) { return true }
    var rows = [columns]
    var seen: Set<Int> = []
    while let row = rows.popLast() {
      guard seen.insert(row).inserted else { continue }
      if row != columns, steps[row + columns - 1] & UInt32(WEIR_MARK) == 0 { return false }
      for symbol in symbols {
        let entry = steps[row + symbol]
        if entry & UInt32(WEIR_STOP | WEIR_EMIT) != 0 { return false }
        rows.append(Int(entry & UInt32(WEIR_ROW)))
      }
    }
    return true
  }
}
