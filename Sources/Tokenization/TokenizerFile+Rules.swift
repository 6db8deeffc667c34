import Storage

extension TokenizerFile {
  /// What the members normalizer, pre_tokenizer and decoder say.
  func rules() throws -> TokenizerRules {
    var rules = try pretokenizer()
    if rules.characters != nil { try readDecoder(&rules) } else { try checkDecoder() }
    let steps = try normalizers(isByteLevel: rules.characters == nil)
    rules.normalizer = Normalizer(steps: steps)
    let marks = steps.contains { if case .blanks = $0 { true } else { false } }
    if marks { rules.characters?.marksBlanks = true }
    try checkFirst(rules)
    if marks, case .patterns(let patterns) = rules.splitting {
      // In the text that these patterns are made for, each blank is a ▁.
      let seen = patterns.map { $0.withBlanks(for: "\u{2581}") }.filter { $0.canMatch }
      rules.splitting = seen.isEmpty ? .whole : .patterns(seen)
    }
    var isPlain = steps.isEmpty
    if steps.count == 1, case .form(.nfc) = steps[0] { isPlain = true }
    if case .published = rules.splitting, isPlain { return rules }
    for name in ["normalizer", "pre_tokenizer", "decoder"] { rules.members[name] = member(root, name).map(value) ?? .null }
    return rules
  }

  /// With `prepend_scheme` first, only a text of which the normalizer left the beginning gets a blank.
  private func checkFirst(_ rules: TokenizerRules) throws {
    guard case .first = rules.prefix else { return }
    for step in rules.normalizer.steps {
      switch step {
      case .strip(left: true, _), .replace:
        throw fail("pre_tokenizer.prepend_scheme", "is first after a normalizer that may remove the beginning, which is not supported")
      default: continue
      }
    }
  }

  private func value(_ node: JSONNode) -> JSONValue {
    if let members = node.object { return .object(Dictionary(members.map { ($0.key, value($0.value)) }) { $1 }) }
    if let elements = node.array { return .array(elements.map(value)) }
    if let text = node.string { return .string(text) }
    if let number = node.double { return .number(number) }
    return node.bool.map { .bool($0) } ?? .null
  }

  /// The elements of a Sequence, and of those in it, with their places.
  private func flattened(_ node: JSONNode, _ list: String, place: String, depth: Int = 0) throws -> [(place: String, node: JSONNode)] {
    guard node["type"]?.string == "Sequence" else { return [(place, node)] }
    guard let parts = node[list]?.array else { throw fail("\(place).\(list)", "is not a list") }
    guard depth < 8 else { throw fail(place, "has too many Sequences in Sequences") }
    return try parts.enumerated().flatMap { try flattened($1, list, place: "\(place).\(list)[\($0)]", depth: depth + 1) }
  }

  // MARK: normalizer

  private func normalizers(isByteLevel: Bool) throws -> [Normalizer.Step] {
    guard let node = member(root, "normalizer") else { return [] }
    let parts = try flattened(node, "normalizers", place: "normalizer")
    var steps: [Normalizer.Step] = []
    for (index, (place, part)) in parts.enumerated() {
      switch part["type"]?.string {
      case "Lowercase": steps.append(.lowercase)
      case "Strip":
        steps.append(
          .strip(
            left: try flag(part, "strip_left", in: place, default: true), right: try flag(part, "strip_right", in: place, default: true)))
      case "Prepend":
        guard let text = part["prepend"]?.bytes else { throw fail("\(place).prepend", "is not a string") }
        steps.append(.prepend(text))
      case "Replace":
        guard let content = part["content"]?.bytes else { throw fail("\(place).content", "is not a string") }
        let rest = parts[(index + 1)...].map { $0.node["type"]?.string }
        if !isByteLevel, part["pattern"]?["String"]?.string == " ", content == .blankMark, rest.allSatisfy({ $0 == "Prepend" }) {
          // What comes before and after is about the same text.
          steps = steps.map(Self.withBlanks) + [.blanks] + (try prefixes(parts[(index + 1)...]))
          return steps
        }
        do { steps.append(.replace(try PatternAutomaton(try pattern(part, place: place)), content)) } catch let error as PatternError {
          throw fail("\(place).pattern", error.reason)
        }
      case let type:
        guard let form = type.flatMap(UnicodeForm.init) else { throw fail(place, "is \(type ?? "without a type"), which is not supported") }
        steps.append(.form(form))
      }
    }
    return steps
  }

  private static func withBlanks(_ step: Normalizer.Step) -> Normalizer.Step {
    if case .prepend(let text) = step, text == .blankMark { return .prepend([0x20]) }
    return step
  }

  private func prefixes(_ parts: ArraySlice<(place: String, node: JSONNode)>) throws -> [Normalizer.Step] {
    try parts.map { place, part in
      guard let text = part["prepend"]?.bytes else { throw fail("\(place).prepend", "is not a string") }
      return .prepend(Normalizer.blanks(text))
    }
  }

  private func pattern(_ node: JSONNode, place: String) throws -> Pattern {
    if let text = node["pattern"]?["Regex"]?.string { return try PatternParser.parse(text) }
    guard let text = node["pattern"]?["String"]?.string, !text.isEmpty else {
      throw fail("\(place).pattern", "has neither a Regex nor a String")
    }
    return .literal(text)
  }

  // MARK: pre_tokenizer

  /// The rules of the pre-tokenizer; `characters` is nil for byte-level BPE.
  private func pretokenizer() throws -> TokenizerRules {
    var rules = TokenizerRules(splitting: .whole, characters: TokenizerRules.Characters())
    guard let node = member(root, "pre_tokenizer") else { return rules }
    let parts = try flattened(node, "pretokenizers", place: "pre_tokenizer")
    guard !parts.isEmpty else { return rules }
    if let kind = try published(parts, &rules) {
      rules.splitting = .published(kind)
      rules.characters = nil
      return rules
    }
    var patterns: [Pattern] = []
    for (index, (place, part)) in parts.enumerated() {
      switch part["type"]?.string {
      case "ByteLevel":
        guard index == parts.count - 1 else { throw fail(place, "is ByteLevel before the last step, which is not supported") }
        rules.characters = nil
        if try flag(part, "add_prefix_space", in: place, default: true) {
          guard parts.count == 1 else { throw fail("\(place).add_prefix_space", "is set after other steps, which is not supported") }
          rules.prefix = .always
        }
        if try flag(part, "use_regex", in: place, default: true) { patterns.append(try PatternParser.parse(Pretokenizer.gpt2.pattern)) }
      case "Metaspace":
        guard parts.count == 1 else { throw fail(place, "is Metaspace beside other steps, which is not supported") }
        try readMetaspace(part, place: place, &rules)
        return rules
      case "Split":
        do {
          patterns.append(try split(part, try pattern(part, place: place), place: place))
        } catch let error as PatternError {
          throw fail("\(place).pattern.Regex", error.reason)
        }
      case "Digits":
        let numbers = Pattern.set(ScalarSet.categories["N"] ?? ScalarSet())
        let isSingle = try flag(part, "individual_digits", in: place, default: false)
        patterns.append(isSingle ? numbers : .repeated(numbers, least: 1, most: nil, isLazy: false))
      case "Punctuation":
        patterns.append(try split(part, .set(.punctuation), place: place))
      case let type: throw fail(place, "is \(type ?? "without a type"), which is not supported")
      }
    }
    rules.splitting = rules.characters != nil && patterns.isEmpty ? .whole : .patterns(patterns)
    return rules
  }

  /// A pre-tokenizer that has a splitter of its own.
  private func published(_ parts: [(place: String, node: JSONNode)], _ rules: inout TokenizerRules) throws -> Pretokenizer? {
    guard let (place, last) = parts.last, last["type"]?.string == "ByteLevel" else { return nil }
    let hasPrefix = try flag(last, "add_prefix_space", in: place, default: true)
    let usesPattern = try flag(last, "use_regex", in: place, default: true)
    guard parts.count > 1 else {
      guard usesPattern else { return nil }
      rules.prefix = hasPrefix ? .always : .none
      return .gpt2
    }
    let (firstPlace, first) = parts[0]
    guard !hasPrefix else { return nil }
    if usesPattern {
      guard parts.count == 2, first["type"]?.string == "Digits" else { return nil }
      return try flag(first, "individual_digits", in: firstPlace, default: false) ? .starcoder : nil
    }
    var patterns: [String] = []
    for (place, part) in parts.dropLast() {
      guard part["type"]?.string == "Split", let text = part["pattern"]?["Regex"]?.string else { return nil }
      let isInverted = try flag(part, "invert", in: place, default: false)
      // A single one of these patterns matches everywhere, so nothing is removed.
      guard part["behavior"]?.string == (isInverted ? "Removed" : "Isolated"), !isInverted || parts.count == 2 else { return nil }
      patterns.append(text)
    }
    return Pretokenizer(patterns: patterns)
  }

  private func readMetaspace(_ part: JSONNode, place: String, _ rules: inout TokenizerRules) throws {
    guard part["replacement"]?.bytes == .blankMark else { throw fail("\(place).replacement", "is not ▁") }
    rules.splitting = try flag(part, "split", in: place, default: true) ? .blanks : .whole
    rules.prefix = try prefix(part, place: place)
    rules.readsMarks = true
    rules.characters?.marksBlanks = true
  }

  /// The `prepend_scheme` of a Metaspace.
  private func prefix(_ part: JSONNode, place: String) throws -> TokenizerRules.Prefix {
    let hasSpace = try flag(part, "add_prefix_space", in: place, default: true)
    switch member(part, "prepend_scheme")?.string ?? (hasSpace ? "always" : "never") {
    case "always" where hasSpace: return .always
    case "first" where hasSpace: return .first
    case "never": return .none
    case let scheme: throw fail("\(place).prepend_scheme", "is \(scheme), which is not supported here")
    }
  }

  /// A pattern whose matches, with what is between them, are what a Split makes of a text.
  private func split(_ part: JSONNode, _ pattern: Pattern, place: String) throws -> Pattern {
    let isInverted = try flag(part, "invert", in: place, default: false)
    let behavior = member(part, "behavior")?.string ?? "Isolated"
    let rest = pattern.run.map { Pattern.repeated(.set($0.set.inverted), least: 0, most: nil, isLazy: false) }
    let isSimple = pattern.single != nil || pattern.run.map { $0.most == nil } == true
    switch (behavior, isInverted) {
    case ("Isolated", _): return pattern
    case ("Removed", true) where try PatternAutomaton(pattern).coversEverything: return pattern
    case ("Removed", _): throw fail("\(place).behavior", "is Removed, which would lose text")
    case ("Contiguous", false):
      if let set = pattern.single { return .repeated(.set(set), least: 1, most: nil, isLazy: false) }
      if isSimple { return pattern }
    case ("MergedWithPrevious", false): if isSimple, let rest { return .sequence([rest, pattern]) }
    case ("MergedWithNext", false): if isSimple, let rest { return .sequence([pattern, rest]) }
    default: break
    }
    throw fail("\(place).behavior", "is \(behavior), which is not supported for this pattern")
  }

  // MARK: decoder

  /// Whether decoding turns ▁ into blanks.
  var readsMarks: Bool {
    guard let node = member(root, "decoder") else { return true }
    let parts = (try? flattened(node, "decoders", place: "decoder")) ?? []
    return parts.contains { $0.node["type"]?.string == "Metaspace" || $0.node["pattern"]?["String"]?.bytes == .blankMark }
  }

  /// Whether decoding turns the tokens of `byte_fallback` into bytes.
  var decodesBytes: Bool {
    guard let node = member(root, "decoder") else { return true }
    let parts = (try? flattened(node, "decoders", place: "decoder")) ?? []
    return parts.contains { $0.node["type"]?.string == "ByteFallback" }
  }

  /// The decoder of a vocabulary of characters.
  private func readDecoder(_ rules: inout TokenizerRules) throws {
    guard let node = member(root, "decoder") else { return }
    var isFused = false
    for (place, part) in try flattened(node, "decoders", place: "decoder") {
      switch part["type"]?.string {
      case "Replace":
        guard part["pattern"]?["String"]?.bytes == .blankMark, part["content"]?.string == " " else {
          throw fail(place, "is a Replace of something else than ▁ by a blank, which is not supported")
        }
      case "ByteFallback": break
      case "Fuse": isFused = true
      case "Strip":
        guard part["content"]?.string == " ", let start = part["start"]?.int, (0...1_000).contains(start), part["stop"]?.int == 0, isFused
        else {
          throw fail(place, "is a Strip of something else than blanks at the start, which is not supported")
        }
        rules.leadingBlanks = .upTo(start)
      case "Metaspace":
        if case .none = try prefix(part, place: place) { break }
        rules.leadingBlanks = .firstToken
      case let type: throw fail(place, "is \(type ?? "without a type"), which is not supported")
      }
    }
  }

  /// Only a ByteLevel decoder is supported for byte-level BPE.
  private func checkDecoder() throws {
    guard let node = member(root, "decoder") else { return }
    for (place, step) in try flattened(node, "decoders", place: "decoder") where step["type"]?.string != "ByteLevel" {
      throw fail(place, "is \(step["type"]?.string ?? "without a type"); only ByteLevel is supported for byte-level BPE")
    }
  }
}
