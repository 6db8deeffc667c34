/// An error a person can act on: where it happened, why, and what to do about it.
public struct WeirError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A path, a path with `:line` or `@byte`, or the name of a flag.
  public var place: String
  /// Why it is an error, one clause.
  public var reason: String
  /// What to do about it, one clause; empty where the reason says it all.
  public var remedy: String

  /// Creates an error.
  /// - Parameters:
  ///   - place: path (with line or byte) or flag.
  ///   - reason: why.
  ///   - remedy: what to do.
  public init(_ place: String, _ reason: String, remedy: String = "") {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  /// `place: reason; remedy`, always one line.
  public var description: String {
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
