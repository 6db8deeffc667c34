import Storage

extension ArtifactRegistry {
  /// With the formats that are not Weir's own.
  var withGenericFiles: ArtifactRegistry { ArtifactRegistry(types + [JSONLines.self, CompressedFile.self]) }

  /// What `weir verify` and `weir peek` support, for errors.
  static let supported =
    "token datasets, packed rows and row orders, window vectors, cluster trees and assignments, tokenizers, models, checkpoints, runs, "
    + "finetune sweeps, mixtures, batches, plans, summaries, step states, .jsonl(.gz, .zst), .safetensors, .idx, .bin, .npy and .mds"
}
