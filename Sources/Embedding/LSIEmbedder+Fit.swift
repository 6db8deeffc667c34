import Kernels
import Pipeline
import Primitives

import func Foundation.log
import func Foundation.pow

extension LSIEmbedder {
  /// Fits an embedder on windows: all of them, or a random sample.
  /// - Parameters:
  ///   - tokenizer: the fingerprint of the tokenizer of the windows.
  ///   - pool: the result does not depend on its number of threads.
  /// - Throws: `WeirError` if no window has a feature that is kept.
  /// - Complexity: O(features of the sampled windows) memory, twice 16 bytes each.
  package static func fit(
    _ windows: WindowReader, tokenizer: String, configuration: Configuration = Configuration(), pool: ThreadPool,
    progress: Progress = .silent
  ) throws -> LSIEmbedder {
    try configuration.validate()
    guard windows.count > 0 else {
      throw WeirError("lsi", "the dataset has no windows to fit on", remedy: "fit on a dataset with documents")
    }
    let chosen = sampleWindows(windows.count, configuration: configuration)
    let counted = try WindowFeatures(
      windows, chosen: chosen, features: TokenFeatures(buckets: configuration.buckets, bigrams: configuration.bigrams), pool: pool,
      progress: progress)
    let idf = inverseFrequencies(counted.parts, windows: chosen.count, configuration: configuration)
    // Empty buckets would only be zeros. Without bigrams, there are at most as many buckets as tokens in the vocabulary.
    let kept = idf.indices.filter { idf[$0] > 0 }
    guard !kept.isEmpty else {
      throw WeirError(
        "lsi", "no feature occurs in \(configuration.minimumWindows) or more of the \(chosen.count) windows",
        remedy: "fit on more text")
    }
    let matrix = weighted(counted.parts, rows: chosen.count, idf: idf, kept: kept, pool: pool)
    let svd = try TruncatedSVD(
      matrix, rank: configuration.dimensions, randomSeed: configuration.randomSeed, names: kept, pool: pool, progress: progress)
    let width = configuration.dimensions
    let scale = svd.singularValues.map { $0 > 0 ? Float(pow($0, configuration.spectrum - 1)) : 0 }
    var projection = svd.vectors
    for row in kept.indices {
      for column in 0..<width { projection[row * width + column] *= scale[column] }
    }
    var embedder = try LSIEmbedder(
      configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection,
      singularValues: svd.singularValues.map { Float($0) })
    if counted.source != nil { embedder.counted = counted }
    return embedder
  }

  /// The windows to fit on: all, or those with the smallest random keys, in order.
  private static func sampleWindows(_ count: Int, configuration: Configuration) -> [Int] {
    guard count > configuration.sample else { return Array(0..<count) }
    let random = CounterRandom(seed: configuration.randomSeed, stream: 0x4C53)
    let keyed = (0..<count).map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }
    return keyed.prefix(configuration.sample).map(\.1).sorted()
  }

  /// Smoothed inverse document frequencies ln((1 + n)/(1 + df)) + 1; 0 for buckets that are left out.
  private static func inverseFrequencies(_ parts: [WindowFeatures.Part], windows: Int, configuration: Configuration) -> [Float] {
    var frequency = [Int](repeating: 0, count: configuration.buckets)
    for part in parts {
      for bucket in part.buckets { frequency[Int(bucket)] += 1 }
    }
    let most = configuration.maximumShare * Double(windows)
    // In a tiny corpus, no bucket may occur in three windows, so the minimum is lowered.
    let least = min(configuration.minimumWindows, max(1, windows / 8))
    return frequency.map { count in
      guard count > 0, count >= least, Double(count) <= most else { return 0 }
      return Float(log(Double(1 + windows) / Double(1 + count)) + 1)
    }
  }

  /// The tf-idf matrix with rows of length 1; its columns are the buckets that are kept.
  private static func weighted(_ parts: [WindowFeatures.Part], rows: Int, idf: [Float], kept: [Int], pool: ThreadPool) -> SparseMatrix {
    var number = [UInt32](repeating: 0, count: idf.count)
    for (column, bucket) in kept.enumerated() { number[bucket] = UInt32(column) }
    // First the length of each row, then the rows of each part at their offsets.
    var offsets = [Int](repeating: 0, count: rows + 1)
    offsets.withUnsafeMutableBufferPointer { offsets in
      nonisolated(unsafe) let out = offsets
      pool.run(parts.count) { part in
        for row in parts[part].ends.indices {
          out[part * WindowFeatures.grain + row + 1] = parts[part].buckets[parts[part].features(row)].reduce(0) {
            $0 + (idf[Int($1)] > 0 ? 1 : 0)
          }
        }
      }
      for row in 0..<rows { out[row + 1] += out[row] }
    }
    let total = offsets[rows]
    var columns: [UInt32] = []
    let values = [Float](unsafeUninitializedCapacity: total) { values, valueCount in
      nonisolated(unsafe) let values = values
      columns = [UInt32](unsafeUninitializedCapacity: total) { columns, columnCount in
        nonisolated(unsafe) let columns = columns
        pool.run(parts.count) { part in
          for row in parts[part].ends.indices {
            let place = offsets[part * WindowFeatures.grain + row]
            var next = place
            var square = 0.0
            for position in parts[part].features(row) {
              let bucket = Int(parts[part].buckets[position])
              guard idf[bucket] > 0 else { continue }
              let value = LSIEmbedder.sublinear(parts[part].counts[position]) * idf[bucket]
              columns[next] = number[bucket]
              values[next] = value
              square += Double(value) * Double(value)
              next += 1
            }
            let length = square.squareRoot()
            for position in place..<next { values[position] = Float(Double(values[position]) / length) }
          }
        }
        columnCount = total
      }
      valueCount = total
    }
    return SparseMatrix(rows: rows, columns: kept.count, offsets: offsets, indices: columns, values: values)
  }
}
