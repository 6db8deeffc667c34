/// An error a person can act on: where it happened, why, and what to do about it.
package struct WeirError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A path, a path with `:line` or `@byte`, or the name of a flag.
  package var place: String
  /// Why it is an error, one clause.
  package var reason: String
  /// What to do about it, one clause; empty where the reason says it all.
  package var remedy: String

  /// Creates an error.
  /// - Parameters:
  ///   - place: path (with line or byte) or flag.
  ///   - reason: why.
  ///   - remedy: what to do.
  package init(_ place: String, _ reason: String, remedy: String = "") {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  /// `place: reason; remedy`, always one line.
  package var description: String {
    let line = remedy.isEmpty ? "\(place): \(reason)" : "\(place): \(reason); \(remedy)"
    return line.replacing("\n", with: " ")
  }
}

extension String {
  /// Every newline of the text replaced by a blank, so that a message stays on one line.
  fileprivate func replacing(_ target: Character, with other: Character) -> String {
    String(map { $0 == target ? other : $0 })
  }
}
