/// The error that `body` throws, as the line that a person sees; empty where it throws none.
package func said(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}
