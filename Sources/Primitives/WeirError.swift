/// An error that a user can act on. It reads `place: reason; remedy`, such as `runs.jsonl:3: member "loss" is missing; expected {…}`.
package struct WeirError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A path, `path:line`, `path@byte`, or the name of a property or option.
  package var place: String
  /// What is wrong: what was found and, where that helps, what was expected.
  package var reason: String
  /// What to do about it; empty where the reason makes that clear.
  package var remedy: String

  package init(_ place: String, _ reason: String, remedy: String = "") {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  /// The message, always on one line.
  package var description: String {
    let message = remedy.isEmpty ? "\(place): \(reason)" : "\(place): \(reason); \(remedy)"
    return String(message.map { $0 == "\n" ? " " : $0 })
  }
}
