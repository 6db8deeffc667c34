import Primitives

/// Which columns of a table of runs hold what, and in which units.
package struct RunColumns: Sendable, Equatable {
  /// The members of a run that a column can hold.
  static let members = ["n", "d", "d_prime", "domain", "model", "run", "trunk", "unique", "loss", "flops", "head", "seed", "h"]
  static let prefixes: [String: Double] = ["K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12]

  /// Names of columns by member; a member that is not listed is its own name. `*` in those of `loss` and `h` stands for the names of targets
  /// and of a mixture's sources.
  package private(set) var names: [String: String] = [:]
  /// Factors by member.
  package private(set) var units: [String: Double] = [:]

  package init() {}

  /// - Parameters:
  ///   - names: a list such as `n=params,d=tokens,loss=*_loss`.
  ///   - units: a list such as `d=B`, with K, M, B (or G) and T.
  /// - Throws: `WeirError` that names `columns` or `units`.
  package init(names: String?, units: String?) throws {
    self.names = try Self.pairs(names ?? "", property: "columns")
    for (member, name) in self.names where name.contains("*") && !["loss", "h"].contains(member) {
      throw WeirError("columns", "gives \(member) the pattern \"\(name)\"", remedy: "only loss and h can have several columns")
    }
    for (member, unit) in try Self.pairs(units ?? "", property: "units") {
      guard let factor = Self.prefixes[unit.uppercased()], ["n", "d", "d_prime", "unique", "head", "flops"].contains(member) else {
        throw WeirError("units", "has \(member)=\(unit)", remedy: "give K, M, B or T for n, d, d_prime, unique, head or flops")
      }
      self.units[member] = factor
    }
  }

  func name(_ member: String) -> String { names[member] ?? member }

  /// The columns of a member with what `*` stands for; of several, in the order given.
  func matches(_ member: String, in columns: [String]) -> [(column: Int, part: String)] {
    let name = name(member)
    guard let star = name.firstIndex(of: "*") else {
      return columns.firstIndex(of: name).map { [($0, "")] } ?? []
    }
    let (head, tail) = (name[..<star], name[name.index(after: star)...])
    return columns.enumerated().compactMap { index, column in
      guard column.count > head.count + tail.count, column.hasPrefix(head), column.hasSuffix(tail) else { return nil }
      return (index, String(column.dropFirst(head.count).dropLast(tail.count)))
    }
  }

  private static func pairs(_ text: String, property: String) throws -> [String: String] {
    var pairs: [String: String] = [:]
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1).map { String($0.trimmed) }
      guard sides.count == 2, members.contains(sides[0]) else {
        throw WeirError(property, "has \"\(part)\"", remedy: "write MEMBER=NAME with one of \(members.joined(separator: ", "))")
      }
      guard pairs.updateValue(sides[1], forKey: sides[0]) == nil else { throw WeirError(property, "gives \(sides[0]) twice") }
    }
    return pairs
  }
}

extension Substring {
  /// Without spaces at the ends.
  var trimmed: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
