/// A regular expression of a tokenizer file.
package indirect enum Pattern: Sendable {
  /// One scalar of a set.
  case set(ScalarSet)
  case sequence([Pattern])
  /// The first alternative that leads to a match counts.
  case alternatives([Pattern])
  /// `most` is nil for any number.
  case repeated(Pattern, least: Int, most: Int?, isLazy: Bool)
  /// Nothing, where the next scalar is one of a set, or where the text ends.
  case ahead(ScalarSet, orEnd: Bool)

  /// A pattern that matches only this text.
  static func literal(_ text: String) -> Pattern { .sequence(text.unicodeScalars.map { .set(ScalarSet($0)) }) }

  /// Whether it matches the empty string somewhere.
  var matchesEmpty: Bool {
    switch self {
    case .set: false
    case .ahead: true
    case .sequence(let parts): parts.allSatisfy(\.matchesEmpty)
    case .alternatives(let parts): parts.contains(where: \.matchesEmpty)
    case .repeated(let body, let least, _, _): least == 0 || body.matchesEmpty
    }
  }

  /// The set, if every match is one scalar of a set.
  var single: ScalarSet? {
    switch self {
    case .set(let set): return set
    case .sequence(let parts): return parts.count == 1 ? parts[0].single : nil
    case .alternatives(let parts):
      let sets = parts.compactMap(\.single)
      return sets.count == parts.count ? sets.reduce(ScalarSet()) { $0.union($1) } : nil
    case .repeated(let body, least: 1, most: 1, _): return body.single
    case .repeated, .ahead: return nil
    }
  }

  /// The set and the bounds, if every match is a run of a set that takes as many scalars as it can.
  var run: (set: ScalarSet, most: Int?)? {
    if let single { return (single, 1) }
    switch self {
    case .sequence(let parts): return parts.count == 1 ? parts[0].run : nil
    case .repeated(let body, least: 1, let most, isLazy: false): return body.single.map { ($0, most) }
    default: return nil
    }
  }

  /// The same in a text that the scalars of a set divide, each piece a text of its own.
  func divided(by set: ScalarSet) -> Pattern {
    switch self {
    case .set(let own): .set(own.subtracting(set))
    case .sequence(let parts): .sequence(parts.map { $0.divided(by: set) })
    case .alternatives(let parts): .alternatives(parts.map { $0.divided(by: set) })
    case .repeated(let body, let least, let most, let isLazy): .repeated(body.divided(by: set), least: least, most: most, isLazy: isLazy)
    case .ahead(let own, let orEnd): .ahead(orEnd ? own.union(set) : own.subtracting(set), orEnd: orEnd)
    }
  }

  /// The same for texts in which each `mark` is a blank.
  func withBlanks(for mark: Unicode.Scalar) -> Pattern {
    func changed(_ set: ScalarSet) -> ScalarSet {
      let rest = set.subtracting(ScalarSet(mark, " "))
      return set.contains(mark) ? rest.union(ScalarSet(" ")) : rest
    }
    return switch self {
    case .set(let set): .set(changed(set))
    case .sequence(let parts): .sequence(parts.map { $0.withBlanks(for: mark) })
    case .alternatives(let parts): .alternatives(parts.map { $0.withBlanks(for: mark) })
    case .repeated(let body, let least, let most, let isLazy):
      .repeated(body.withBlanks(for: mark), least: least, most: most, isLazy: isLazy)
    case .ahead(let set, let orEnd): .ahead(changed(set), orEnd: orEnd)
    }
  }

  /// Whether it matches any text.
  var canMatch: Bool {
    switch self {
    case .set(let set): !set.isEmpty
    case .sequence(let parts): parts.allSatisfy(\.canMatch)
    case .alternatives(let parts): parts.contains(where: \.canMatch)
    case .repeated(let body, let least, _, _): least == 0 || body.canMatch
    case .ahead(let set, let orEnd): orEnd || !set.isEmpty
    }
  }
}
