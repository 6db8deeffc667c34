import CKernels

/// How texts are split into pre-tokens: a published pre-tokenizer, words at blanks, or patterns of which each splits what the one before it leaves.
package final class Splitter: Sendable {
  private let automata: [PatternAutomaton]
  /// The automata in a row.
  private nonisolated(unsafe) let kernels: UnsafeMutablePointer<weir_automaton>
  private nonisolated(unsafe) let joins: UnsafeMutablePointer<UInt8>
  private nonisolated(unsafe) let pairs: UnsafeMutablePointer<UInt8>?
  nonisolated(unsafe) let kernel: weir_pattern

  private init(
    family: Int, digits: Int = 3, automata: [PatternAutomaton] = [], joins: [Bool]? = nil, pairs: UnsafeMutablePointer<UInt8>? = nil,
    style: Int = 0
  ) {
    self.automata = automata
    self.pairs = pairs
    kernels = .allocate(capacity: max(1, automata.count))
    for (index, automaton) in automata.enumerated() { kernels[index] = automaton.kernel.pointee }
    self.joins = .allocate(capacity: 256)
    self.joins.initialize(repeating: 0, count: 256)
    for (byte, joins) in (joins ?? []).enumerated() where joins { self.joins[byte] = 1 }
    kernel = weir_pattern(
      classes: CharacterClass.table, limit: UInt32(CharacterClass.limit), family: Int32(family), digits: Int32(digits),
      joins: joins == nil ? nil : UnsafePointer(self.joins), pairs: pairs.map { UnsafePointer($0) }, automata: UnsafePointer(kernels),
      stages: Int32(automata.count), style: Int32(style))
  }

  deinit {
    kernels.deallocate()
    joins.deallocate()
    pairs?.deallocate()
  }

  convenience init(_ kind: Pretokenizer) {
    switch kind {
    case .gpt2: self.init(family: WEIR_PATTERN_GPT2)
    case .starcoder: self.init(family: WEIR_PATTERN_GPT2, digits: 1)
    case .cl100k: self.init(family: WEIR_PATTERN_CL100K)
    case .llama3: self.init(family: WEIR_PATTERN_LLAMA3)
    case .qwen2: self.init(family: WEIR_PATTERN_LLAMA3, digits: 1)
    case .o200k: self.init(kind, digits: 3, style: WEIR_STYLE_ASCII | WEIR_STYLE_CASED | WEIR_STYLE_SUFFIXED)
    case .tekken: self.init(kind, digits: 1, style: WEIR_STYLE_ASCII | WEIR_STYLE_CASED)
    case .deepseek: self.init(kind, digits: 3, style: WEIR_STYLE_ASCII | WEIR_STYLE_APART)
    }
  }

  /// A splitter that follows automata, except in ASCII.
  private convenience init(_ kind: Pretokenizer, digits: Int, style: Int) {
    guard let automata = try? Self.automata(kind.patterns.map { try PatternParser.parse($0) }) else {
      preconditionFailure("the pattern of \(kind.rawValue) does not compile")
    }
    self.init(family: WEIR_PATTERN_AUTOMATA, digits: digits, automata: automata, style: style)
  }

  /// Words begin at blanks after something else, unless a token can go on across the blank.
  /// - Parameter joins: [256] the bytes after which a token may go on.
  convenience init(wordsUnless joins: [Bool]) { self.init(family: WEIR_PATTERN_WORDS, joins: joins) }

  /// Words begin where no merge joins the characters on both sides, so that they can be encoded apart.
  convenience init(_ merges: [Tokenizer.Merge], of layout: VocabularyLayout) {
    let pairs = UnsafeMutablePointer<UInt8>.allocate(capacity: Int(WEIR_PAIRS))
    pairs.initialize(repeating: 0, count: Int(WEIR_PAIRS))
    for merge in merges {
      let left = layout.withKey(merge.left) { Array($0)[...].lastScalar?.scalar }
      let right = layout.withKey(merge.right) { Array($0)[...].firstScalar?.scalar }
      if let left, let right { weir_pairs_join(pairs, left.value, right.value) }
    }
    self.init(family: WEIR_PATTERN_WORDS, pairs: pairs)
  }

  /// Each blank begins a word.
  static let everyBlank = Splitter(family: WEIR_PATTERN_WORDS)

  /// - Throws: `PatternError` where a pattern is too complex.
  package convenience init(_ patterns: [Pattern]) throws { self.init(family: WEIR_PATTERN_AUTOMATA, automata: try Self.automata(patterns)) }

  private static func automata(_ patterns: [Pattern]) throws -> [PatternAutomaton] {
    var made: [PatternAutomaton] = []
    var inner: Pattern?
    for pattern in patterns.reversed() {
      // A run of a set that the later stages leave whole is one more alternative for them, and divides their text.
      if let run = pattern.run, let last = made.first, let later = inner, last.keepsWhole(run.set) {
        let merged = Pattern.alternatives([pattern, later.divided(by: run.set)])
        made[0] = try PatternAutomaton(merged)
        inner = merged
      } else {
        made.insert(try PatternAutomaton(pattern), at: 0)
        inner = pattern
      }
    }
    guard made.count <= Int(WEIR_STAGES) else {
      throw PatternError(reason: "is one of more than \(WEIR_STAGES) patterns in a row, which is not supported")
    }
    return made
  }

  /// The pre-tokens of a text, in order and without gaps.
  /// - Complexity: O(bytes).
  package func split(_ bytes: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    bytes.withUnsafeBufferPointer { buffer in forEach(in: buffer) { ranges.append($0) } }
    return ranges
  }

  /// Calls `body` with each pre-token in order.
  @inline(__always)
  func forEach(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    guard let base = text.baseAddress else { return }
    let room = 1_024
    withUnsafePointer(to: kernel) { pattern in
      var cutter = weir_cutter()
      weir_cutter_start(&cutter, pattern, base, text.count)
      withUnsafeTemporaryAllocation(of: Int.self, capacity: room) { ends in
        var start = 0
        while true {
          let found = weir_pretokens(&cutter, ends.baseAddress, room)
          if found == 0 { return }
          for index in 0..<found {
            body(start..<ends[index])
            start = ends[index]
          }
        }
      }
    }
  }
}
