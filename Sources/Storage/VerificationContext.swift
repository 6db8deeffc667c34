/// Collects the findings of a verification and counts the files it reads.
package protocol VerificationContext: AnyObject {
  /// Records a problem: one line that starts with the path.
  func problem(_ line: String)
  /// Records something that is not a problem but worth knowing.
  func note(_ line: String)
  /// Runs a check and records its error as a problem. A request to stop is thrown.
  func attempt(_ body: () throws -> Void) throws
  /// Counts a file that is read completely.
  func count(_ path: String) throws
  /// XXH3-64 of a file in hexadecimal; each file is read once, however often it is asked for.
  func checksum(_ path: String) throws -> String
  /// Throws if the user asked to stop; long checks call it regularly.
  func checkStop() throws
}

/// The problems of one file: the first 20 are listed, the rest counted.
package struct ProblemList {
  private static let limit = 20
  private let context: any VerificationContext
  private var count = 0

  package init(_ context: any VerificationContext) { self.context = context }

  package mutating func add(_ line: String) {
    count += 1
    if count <= Self.limit { context.problem(line) }
  }

  /// Reports how many problems were not listed.
  /// - Parameter what: the things with problems, plural.
  package func finish(_ path: String, _ what: String) {
    if count > Self.limit { context.problem("\(path): and \(count - Self.limit) more such \(what)") }
  }
}
