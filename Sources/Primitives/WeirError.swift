/// An error that a user can act on. It reads `place: reason; remedy`, such as `runs.jsonl:3: member "loss" is missing; expected {…}`.
public struct WeirError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A path, `path:line`, `path@byte`, or the name of a property or option.
  public var place: String
  /// What is wrong: what was found and, where that helps, what was expected.
  public var reason: String
  /// What to do about it; empty where the reason makes that clear.
  public var remedy: String

  /// Creates an error that prints as `place: reason; remedy`.
  public init(_ place: String, _ reason: String, remedy: String = "") {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  /// The message, always on one line.
  public var description: String {
    let parts = [Self.shortened(place, 400), Self.shortened(reason), Self.shortened(remedy)]
    let message = remedy.isEmpty ? "\(parts[0]): \(parts[1])" : "\(parts[0]): \(parts[1]); \(parts[2])"
    return String(message.map { $0 == "\n" ? " " : $0 })
  }

  /// Cuts the middle out of a text that quotes a very long name.
  package static func shortened(_ text: String, _ limit: Int = 1_200) -> String {
    text.utf8.count > limit ? "\(text.prefix(limit / 5 * 2)) … \(text.suffix(limit / 6))" : text
  }
}
