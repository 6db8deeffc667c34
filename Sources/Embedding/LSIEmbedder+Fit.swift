import Kernels
import Pipeline
import Primitives

extension LSIEmbedder {
  /// Fits an embedder on windows: all of them, or a seeded sample.
  /// - Parameters:
  ///   - windows: the corpus.
  ///   - tokenizer: the fingerprint of the tokenizer that made the ids.
  ///   - configuration: see there.
  ///   - pool: where the work runs; the result does not depend on its number of threads.
  ///   - progress: told of the iterations.
  /// - Throws: `WeirError` when no window has a feature that is kept.
  /// - Complexity: memory of 16 bytes per feature of a sampled window, twice.
  public static func fit(
    _ windows: WindowReader, tokenizer: String, configuration: Configuration = Configuration(), pool: ThreadPool,
    progress: Progress = .silent
  ) throws -> LSIEmbedder {
    try configuration.validate()
    guard windows.count > 0 else { throw WeirError("lsi", "there are no windows to fit on") }
    let chosen = sampleWindows(windows.count, configuration: configuration)
    let counted = try countFeatures(windows, chosen: chosen, configuration: configuration, pool: pool, progress: progress)
    let (matrix, idf) = weighted(counted, configuration: configuration)
    guard !matrix.values.isEmpty else {
      throw WeirError(
        "lsi", "no feature occurs in \(configuration.minimumWindows) or more of the \(chosen.count) windows",
        remedy: "fit on more text, or with a smaller minimum")
    }
    // Buckets that no window has would only be zeros: with tokens alone there are as many as the vocabulary has.
    let kept = idf.indices.filter { idf[$0] > 0 }
    let svd = try TruncatedSVD(
      matrix.compacted(to: kept), rank: configuration.dimensions, oversampling: configuration.oversampling,
      iterations: configuration.iterations, seed: configuration.seed, names: kept, pool: pool, progress: progress)
    let width = configuration.dimensions
    let scale = svd.singularValues.map { $0 > 0 ? Float(Elementary.power($0, configuration.spectrum - 1)) : 0 }
    var projection = [Float](repeating: 0, count: configuration.buckets * width)
    for (row, bucket) in kept.enumerated() {
      for column in 0..<width { projection[bucket * width + column] = svd.vectors[row * width + column] * scale[column] }
    }
    return try LSIEmbedder(
      configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection,
      singularValues: svd.singularValues.map { Float($0) })
  }

  /// Windows to fit on: all, or those with the smallest random keys, in order.
  private static func sampleWindows(_ count: Int, configuration: Configuration) -> [Int] {
    guard count > configuration.sample else { return Array(0..<count) }
    let random = CounterRandom(seed: configuration.seed, stream: 0x4C53)
    let keyed = (0..<count).map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }
    return keyed.prefix(configuration.sample).map(\.1).sorted()
  }

  /// Raw counts of the sampled windows' features, in compressed rows.
  private static func countFeatures(
    _ windows: WindowReader, chosen: [Int], configuration: Configuration, pool: ThreadPool, progress: Progress
  ) throws -> SparseMatrix {
    let features = TokenFeatures(buckets: configuration.buckets, bigrams: configuration.bigrams)
    var offsets = [0]
    var indices: [UInt32] = []
    var values: [Float] = []
    let grain = 64
    let chunk = 64 * grain
    for start in stride(from: 0, to: chosen.count, by: chunk) {
      try progress.checkStop()
      progress.update(Double(start), of: Double(chosen.count), unit: "windows", detail: "features")
      let tokens = try chosen[start..<min(chosen.count, start + chunk)].map { try windows.tokens($0) }
      let parts = (tokens.count + grain - 1) / grain
      var rows = [[(counts: [Int], indices: [UInt32], values: [Float])]](repeating: [], count: parts)
      rows.withUnsafeMutableBufferPointer { rows in
        nonisolated(unsafe) let out = rows
        pool.run(parts) { part in
          var scratch = TokenFeatures.Scratch(buckets: features.buckets)
          var result = (counts: [Int](), indices: [UInt32](), values: [Float]())
          for window in part * grain..<min(tokens.count, (part + 1) * grain) {
            let before = result.indices.count
            features.count(tokens[window], scratch: &scratch) { bucket, count in
              result.indices.append(UInt32(bucket))
              result.values.append(LSIEmbedder.sublinear(count))
            }
            result.counts.append(result.indices.count - before)
          }
          out[part] = [result]
        }
      }
      for result in rows.joined() {
        for count in result.counts { offsets.append((offsets.last ?? 0) + count) }
        indices.append(contentsOf: result.indices)
        values.append(contentsOf: result.values)
      }
    }
    return SparseMatrix(rows: chosen.count, columns: configuration.buckets, offsets: offsets, indices: indices, values: values)
  }

  /// The tf-idf matrix with rows of length 1, and the idf (smoothed: ln((1 + n)/(1 + df)) + 1; 0 where a bucket is left out).
  private static func weighted(_ counted: SparseMatrix, configuration: Configuration) -> (SparseMatrix, [Float]) {
    var frequency = [Int](repeating: 0, count: counted.columns)
    for bucket in counted.indices { frequency[Int(bucket)] += 1 }
    let most = configuration.maximumShare * Double(counted.rows)
    // A tiny corpus has no bucket in three windows: the floor gives way there.
    let least = min(configuration.minimumWindows, max(1, counted.rows / 8))
    let idf = frequency.map { count -> Float in
      guard count > 0, count >= least, Double(count) <= most else { return 0 }
      return Float(Elementary.natural(Double(1 + counted.rows) / Double(1 + count)) + 1)
    }
    var offsets = [0]
    var indices: [UInt32] = []
    var values: [Float] = []
    indices.reserveCapacity(counted.indices.count)
    values.reserveCapacity(counted.indices.count)
    for row in 0..<counted.rows {
      let begin = values.count
      var square = 0.0
      for position in counted.offsets[row]..<counted.offsets[row + 1] {
        let weight = idf[Int(counted.indices[position])]
        guard weight > 0 else { continue }
        let value = counted.values[position] * weight
        indices.append(counted.indices[position])
        values.append(value)
        square += Double(value) * Double(value)
      }
      let length = square.squareRoot()
      for position in begin..<values.count { values[position] = Float(Double(values[position]) / length) }
      offsets.append(values.count)
    }
    return (SparseMatrix(rows: counted.rows, columns: counted.columns, offsets: offsets, indices: indices, values: values), idf)
  }
}
