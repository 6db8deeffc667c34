/// The user asked to stop. What was committed stays; the next run resumes from there.
package struct Stopped: Error, CustomStringConvertible {
  package init() {}
  package var description: String { "stopped; run the same command again to resume" }
}
