import Documents
import Kernels

/// Encoding speed from memory to memory, in MB/s (10⁶ bytes of text).
package struct EncodingSpeed: Codable, Sendable {
  /// The first run, with empty caches, in MB/s.
  package var first = 0.0
  /// The fastest run in MB/s.
  package var best = 0.0
  /// Bytes of text per run.
  package var bytes = 0
  /// Tokens per run.
  package var tokens = 0

  /// Encodes all documents `repetitions` times, reusing the output memory.
  package init(_ tokenizer: Tokenizer, documents: [Document], threads: Int, repetitions: Int) {
    bytes = documents.reduce(0) { $0 + $1.text.count }
    let pool = ThreadPool(threads: threads)
    let parts = 16 * pool.threads
    var contexts = (0..<pool.threads).map { _ in EncodeContext() }
    var made = [[UInt32]](repeating: [], count: parts)
    for repetition in 0..<max(1, repetitions) {
      let clock = ContinuousClock()
      let duration = clock.measure {
        made.withUnsafeMutableBufferPointer { made in
          contexts.withUnsafeMutableBufferPointer { contexts in
            pool.run(pool.threads) { thread in
              // Each thread has its own context and takes every `threads`-th part.
              for part in stride(from: thread, to: parts, by: pool.threads) {
                let range = part * documents.count / parts..<(part + 1) * documents.count / parts
                made[part].removeAll(keepingCapacity: true)
                for index in range { tokenizer.encode(documents[index].text, into: &made[part], context: &contexts[thread]) }
              }
            }
          }
        }
      }
      let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
      let speed = Double(bytes) / 1e6 / max(seconds, 1e-9)
      if repetition == 0 { first = speed }
      best = max(best, speed)
      tokens = made.reduce(0) { $0 + $1.count }
    }
  }
}
