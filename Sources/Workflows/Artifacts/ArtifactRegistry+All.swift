import Artifacts
import Embedding
import Export
import Loading
import Planning
import Storage
import Tokenization
import Tokens
import Training

extension ArtifactRegistry {
  /// Every type of artifact that Weir stores. A file or a folder without a manifest is of the first type that matches it.
  package static let all = ArtifactRegistry([
    TokenDataset.self, PackedRows.self, RowOrder.self, WindowVectors.self, ClusterAssignment.self, WindowScores.self, StoredTree.self,
    Mixture.self, StoredEmbedder.self,
    // A run folder contains model folders, and a model folder contains a tokenizer.
    RunFolder.self, SplitFile.self, StoredModel.self, StoredCheckpoint.self, StoredAdapter.self, StoredFisher.self, StoredTeacher.self,
    StoredTokenizer.self, RecipeFolder.self, BatchFolder.self,
    StepState.self, TrainingReport.self, FinetuneSweep.self, FitReport.self, MixtureFit.self, Allocation.self,
    // llm.c's `.bin` before Megatron's, which no magic number distinguishes.
    StoredExport.self, LLMTokens.self, MDSShard.self, MDSIndex.self, NumPyArray.self, MegatronIndex.self, MegatronTokens.self,
    TokenStreamReader.self, SafetensorsFile.self,
  ])
}
