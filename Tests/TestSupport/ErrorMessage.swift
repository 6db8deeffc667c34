/// The message of the error that `body` throws, as `weir` prints it; empty where it throws none.
package func errorMessage(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}
