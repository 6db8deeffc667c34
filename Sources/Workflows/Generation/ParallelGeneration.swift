import Kernels
import Pipeline
import Training

/// Generates many texts with one model: each text on one thread, so that no text depends on the number of threads.
struct ParallelGeneration {
  let configuration: ModelConfiguration
  private let parameters: FloatBuffer
  private let threads: Int

  /// - Parameter folder: the model folder.
  init(folder: String, threads: Int) throws {
    (configuration, parameters) = try ModelFolder.load(folder)
    self.threads = threads
  }

  /// Calls `make` with each index, and a generator with this many positions that other texts use too.
  func map<T>(
    _ count: Int, positions: Int, _ progress: Progress, _ make: (Int, Generator) throws -> T
  ) throws -> [T] {
    let pool = ThreadPool(threads: max(1, min(threads, count)))
    nonisolated(unsafe) var results = [Result<T, any Error>?](repeating: nil, count: count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      pool.run(pool.threads) { worker in
        let generator = Generator(configuration, parameters: parameters, positions: positions)
        for index in stride(from: worker, to: count, by: pool.threads) {
          if worker == 0 { progress.update(Double(index), of: Double(count), unit: "texts") }
          results[index] = Result {
            try progress.checkStop()
            return try make(index, generator)
          }
        }
      }
    }
    return try results.compactMap { try $0?.get() }
  }
}
