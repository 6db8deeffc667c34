/// What a pattern has that is not supported.
package struct PatternError: Error {
  package let reason: String
}

/// Parses a regular expression in Oniguruma's syntax, as far as tokenizers use it: sets and properties, groups, alternatives, repetition, and
/// looking ahead by one scalar.
package struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var at = 0
  private var ignoresCase = false
  private var depth = 0

  /// - Throws: `PatternError` for anything else, because guessing would change tokens.
  package static func parse(_ text: String) throws -> Pattern {
    var parser = PatternParser(scalars: Array(text.unicodeScalars))
    let pattern = try parser.alternatives()
    guard parser.at == parser.scalars.count else { throw parser.error("an unmatched )") }
    guard !pattern.matchesEmpty else { throw PatternError(reason: "matches the empty string") }
    return pattern
  }

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  private func error(_ what: String) -> PatternError { PatternError(reason: "has \(what) at character \(at), which is not supported") }

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func take(_ text: String) -> Bool {
    guard scalars[at...].starts(with: text.unicodeScalars) else { return false }
    at += text.unicodeScalars.count
    return true
  }

  private mutating func advance() throws -> Unicode.Scalar {
    guard let scalar = next else { throw PatternError(reason: "is incomplete") }
    at += 1
    return scalar
  }

  // MARK: structure

  private mutating func alternatives() throws -> Pattern {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw error("too many groups in groups") }
    let outer = ignoresCase
    defer { ignoresCase = outer }
    var parts = [try sequence()]
    while take("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .alternatives(parts)
  }

  private mutating func sequence() throws -> Pattern {
    var parts: [Pattern] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      guard let atom = try atom() else { continue }
      parts.append(try repeated(atom))
    }
    if ignoresCase { try refuseFolding(parts) }
    return .sequence(parts)
  }

  /// Pairs of letters that equal one scalar when case is ignored, such as ß.
  private func refuseFolding(_ parts: [Pattern]) throws {
    let sets = parts.map(\.single)
    for (left, right) in zip(sets, sets.dropFirst()) {
      guard let left, let right else { continue }
      for pair in ["ss", "st", "ff", "fi", "fl"] {
        let letters = Array(pair.unicodeScalars)
        if left.contains(letters[0]), right.contains(letters[1]) { throw error("\"\(pair)\" in any case before") }
      }
    }
  }

  private mutating func atom() throws -> Pattern? {
    let scalar = try advance()
    switch scalar {
    case "(": return try group()
    case "[": return .set(try set())
    case ".": return .set(ScalarSet("\n").inverted)
    case "$": return .ahead(ScalarSet("\n"), orEnd: true)
    case "^":
      at -= 1
      throw error("^")
    case "*", "+", "?":
      at -= 1
      throw error("\(scalar) without anything to repeat")
    case "\\":
      if next == "z" {
        at += 1
        return .ahead(ScalarSet(), orEnd: true)
      }
      return .set(try folded(try escape()))
    default: return .set(try folded(ScalarSet(scalar)))
    }
  }

  /// The rest of a group; nil for one that only sets options.
  private mutating func group() throws -> Pattern? {
    let start = at
    func unsupported(_ what: String) -> PatternError {
      PatternError(reason: "has \(what) at character \(start - 1), which is not supported")
    }
    var pattern: Pattern?
    let outer = ignoresCase
    if take("?:") {
      pattern = try alternatives()
    } else if take("?=") || take("?!") {
      let isNegative = scalars[at - 1] == "!"
      guard let (set, orEnd) = Self.lookahead(try alternatives()) else { throw unsupported("a lookahead of more than one character") }
      pattern = isNegative ? .ahead(set.inverted, orEnd: !orEnd) : .ahead(set, orEnd: orEnd)
    } else if take("?>") {
      guard let made = Self.possessive(try alternatives()) else { throw unsupported("an atomic group") }
      pattern = made
    } else if take("?<=") || take("?<!") {
      throw unsupported("a lookbehind")
    } else if take("?") {
      var value = true
      while let letter = next, letter != ":", letter != ")" {
        if letter == "-" { value = false } else if letter == "i" { ignoresCase = value } else { throw unsupported("an option \(letter)") }
        at += 1
      }
      if take(")") {
        // The option holds for the rest of the enclosing group.
        return nil
      }
      guard take(":") else { throw unsupported("a group") }
      pattern = try alternatives()
      ignoresCase = outer
    } else {
      pattern = try alternatives()
    }
    guard take(")") else { throw PatternError(reason: "is incomplete") }
    return pattern
  }

  /// The scalars that a pattern of at most one scalar allows to come next.
  private static func lookahead(_ pattern: Pattern) -> (set: ScalarSet, orEnd: Bool)? {
    if let set = pattern.single { return (set, false) }
    switch pattern {
    case .ahead(let set, let orEnd): return (set, orEnd)
    case .sequence(let parts): return parts.count == 1 ? lookahead(parts[0]) : nil
    case .alternatives(let parts):
      let found = parts.compactMap(lookahead)
      guard found.count == parts.count else { return nil }
      return (found.reduce(ScalarSet()) { $0.union($1.set) }, found.contains(where: \.orEnd))
    default: return nil
    }
  }

  // MARK: repetition

  private mutating func repeated(_ atom: Pattern) throws -> Pattern {
    var pattern = atom
    while let scalar = next {
      let least: Int
      let most: Int?
      var isBraced = false
      switch scalar {
      case "*": (least, most) = (0, nil)
      case "+": (least, most) = (1, nil)
      case "?": (least, most) = (0, 1)
      case "{":
        guard let bounds = try braces() else { return pattern }
        (least, most, isBraced) = (bounds.least, bounds.most, true)
      default: return pattern
      }
      if !isBraced { at += 1 }
      guard !pattern.matchesEmpty else { throw error("a repetition of what can be empty before") }
      guard least <= 1_000, most ?? 0 <= 1_000 else { throw error("more than 1000 repetitions before") }
      let isLazy = take("?")
      if isLazy, isBraced, most == least { throw error("? after an exact number of repetitions before") }
      let made = Pattern.repeated(pattern, least: least, most: most, isLazy: isLazy)
      // After braces, + repeats in this syntax.
      if !isLazy, !isBraced, take("+") {
        guard let held = Self.possessive(made) else { throw error("a possessive repetition of more than one character before") }
        pattern = held
      } else {
        pattern = made
      }
    }
    return pattern
  }

  /// Bounds in braces; nil where the brace is text.
  private mutating func braces() throws -> (least: Int, most: Int?)? {
    guard let close = scalars[at...].firstIndex(of: "}") else { throw error("{ without }") }
    let text = String(String.UnicodeScalarView(scalars[at + 1..<close]))
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.map { Int($0) }
    guard (1...2).contains(parts.count), parts.allSatisfy({ $0.allSatisfy(\.isNumber) }), text != ",", !text.isEmpty else {
      throw error("{\(text)}")
    }
    at = close + 1
    let least = numbers[0] ?? 0
    let most = parts.count == 1 ? least : numbers[1]
    guard most ?? least >= least else { throw error("{\(text)} before") }
    return (least, most)
  }

  /// A repetition of a set that gives nothing back: fewer than the most only where the next scalar is not in the set.
  private static func possessive(_ pattern: Pattern) -> Pattern? {
    switch pattern {
    case .sequence(let parts) where parts.count == 1: return possessive(parts[0])
    case .repeated(let body, let least, let most, isLazy: false):
      guard let set = body.single else { return nil }
      let ends = Pattern.ahead(set.inverted, orEnd: true)
      guard let most else { return .sequence([pattern, ends]) }
      guard most > least else { return pattern }
      return .alternatives([
        .repeated(body, least: most, most: most, isLazy: false),
        .sequence([.repeated(body, least: least, most: most - 1, isLazy: false), ends]),
      ])
    default: return pattern.single == nil ? nil : pattern
    }
  }

  // MARK: sets

  /// A set with the letters of the other case, where case is ignored.
  private func folded(_ set: ScalarSet) throws -> ScalarSet {
    guard ignoresCase else { return set }
    var folded = set
    for letter in UInt32(0x61)...0x7A {
      guard let lower = Unicode.Scalar(letter), let upper = Unicode.Scalar(letter - 32) else { continue }
      var forms = [lower, upper]
      if lower == "s" { forms.append("\u{17F}") }
      if lower == "k" { forms.append("\u{212A}") }
      if forms.contains(where: set.contains) { folded = folded.union(ScalarSet(forms.map { $0.value..<$0.value + 1 })) }
    }
    let rest = set.subtracting(ScalarSet([0..<0x80, 0x17F..<0x180, 0x212A..<0x212B]))
    guard rest.isEmpty || set.inverted.ranges.count <= 1 && !set.contains("a") else {
      throw error("letters beyond ASCII in any case before")
    }
    return folded
  }

  /// The rest of a set in brackets.
  private mutating func set() throws -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw error("too many sets in sets") }
    let isInverted = take("^")
    var whole: ScalarSet?
    var part = ScalarSet()
    var isFirst = true
    func closed(_ set: ScalarSet) -> ScalarSet { whole.map { $0.intersection(set) } ?? set }
    while true {
      if next == "]", !isFirst {
        at += 1
        break
      }
      isFirst = false
      if take("&&") {
        whole = closed(part)
        part = ScalarSet()
        continue
      }
      if take("[") {
        guard next != ":" else { throw error("a POSIX bracket") }
        part = part.union(try set())
        continue
      }
      var low = ScalarSet(try advance())
      if scalars[at - 1] == "\\" { low = try escape() }
      // A range, unless the hyphen is the last character of the set.
      if let first = low.ranges.first, low.ranges.count == 1, first.count == 1, next == "-", at + 1 < scalars.count, scalars[at + 1] != "]"
      {
        at += 1
        guard next != "[" else { throw error("a set as the end of a range") }
        var high = ScalarSet(try advance())
        if scalars[at - 1] == "\\" { high = try escape() }
        guard let last = high.ranges.first, high.ranges.count == 1, last.count == 1, last.lowerBound >= first.lowerBound else {
          throw error("an empty range before")
        }
        low = ScalarSet([first.lowerBound..<last.upperBound])
      }
      part = part.union(low)
    }
    let found = try folded(closed(part))
    return isInverted ? found.inverted : found
  }

  /// The scalars of an escape, after the backslash.
  private mutating func escape() throws -> ScalarSet {
    let scalar = try advance()
    switch scalar {
    case "n": return ScalarSet("\n")
    case "r": return ScalarSet("\r")
    case "t": return ScalarSet("\t")
    case "f": return ScalarSet("\u{0C}")
    case "v": return ScalarSet("\u{0B}")
    case "a": return ScalarSet("\u{07}")
    case "e": return ScalarSet("\u{1B}")
    case "s": return .space
    case "S": return ScalarSet.space.inverted
    case "d": return .digit
    case "D": return ScalarSet.digit.inverted
    case "w": return .word
    case "W": return ScalarSet.word.inverted
    case "x", "u": return try number(scalar == "u" ? 4 : 2)
    case "p", "P": return try property(isInverted: scalar == "P")
    default:
      // Letters and digits have meanings; other characters stand for themselves.
      guard scalar.value < 0x80, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
        at -= 1
        throw error("\\\(scalar)")
      }
      return ScalarSet(scalar)
    }
  }

  private mutating func number(_ digits: Int) throws -> ScalarSet {
    let text: ArraySlice<Unicode.Scalar>
    if take("{") {
      guard let close = scalars[at...].firstIndex(of: "}") else { throw error("{ without }") }
      text = scalars[at..<close]
      at = close + 1
    } else {
      text = scalars[at...].prefix(digits)
      at += text.count
    }
    let string = String(String.UnicodeScalarView(text))
    guard let value = UInt32(string, radix: 16), let scalar = Unicode.Scalar(value), text.count >= 1 else { throw error("\\x\(string)") }
    return ScalarSet(scalar)
  }

  private mutating func property(isInverted: Bool) throws -> ScalarSet {
    guard take("{"), let close = scalars[at...].firstIndex(of: "}") else { throw error("a property without braces") }
    var name = String(String.UnicodeScalarView(scalars[at..<close]))
    var isInverted = isInverted
    if name.hasPrefix("^") {
      name.removeFirst()
      isInverted.toggle()
    }
    let long = ["Letter": "L", "Mark": "M", "Number": "N", "Punctuation": "P", "Symbol": "S", "Separator": "Z", "Other": "C"]
    guard let set = ScalarSet.categories[long[name] ?? name] else { throw error("\\p{\(name)}") }
    at = close + 1
    return isInverted ? set.inverted : set
  }
}
