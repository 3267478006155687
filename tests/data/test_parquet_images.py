import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sweep.data import DataError, load_dataset


def load(folder, tmp_path, lines=None):
    return load_dataset(f"parquet:{folder}", cache_dir=tmp_path / "cache", progress=(lines or []).append)


def test_shards_are_read_in_the_order_of_their_names_pixel_by_pixel(tmp_path, noise, encode, write_shard):
    images = noise(12)
    pngs = [encode(Image.fromarray(image)) for image in images]
    labels = [i % 3 for i in range(12)]
    for k in range(3):
        rows = slice(3 * k, 3 * k + 3)
        write_shard(tmp_path / "d" / f"train-0000{k}-of-00003.parquet", pngs[rows], labels[rows])
    write_shard(tmp_path / "d" / "test-00000-of-00001.parquet", pngs[9:], labels[9:])
    data = load(tmp_path / "d", tmp_path)
    test_images, test_labels = data.test()
    assert np.array_equal(data.train_images, images[:9].transpose(0, 3, 1, 2))
    assert np.array_equal(test_images, images[9:].transpose(0, 3, 1, 2))
    assert data.train_labels.tolist() == labels[:9]
    assert test_labels.tolist() == labels[9:]
    assert data.train_labels.dtype == np.int64
    assert data.class_names == ("0", "1", "2")


def test_subfolders_train_and_test_are_found_and_other_columns_ignored(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(6)]
    extra = {"coarse_label": [9] * 3, "width": [32] * 3}
    names = {"image": "image", "label": "fine_label"}
    write_shard(tmp_path / "d" / "train" / "0000.parquet", pngs[:3], [0, 1, 2], **names, **extra)
    write_shard(tmp_path / "d" / "test" / "0000.parquet", pngs[3:], [2, 1, 0], **names, **extra)
    data = load(tmp_path / "d", tmp_path)
    assert data.train_labels.tolist() == [0, 1, 2]
    assert data.test()[1].tolist() == [2, 1, 0]


def test_grey_palette_transparent_and_16_bit_images_become_three_channels(tmp_path, encode, write_shard):
    ramp = np.arange(1024, dtype=np.uint8).reshape(32, 32)
    grey = Image.fromarray(ramp)
    colour = Image.fromarray(np.stack([ramp, ramp.T, 255 - ramp], -1))
    palette = colour.quantize(16)
    palette_with_hole = palette.copy()
    palette_with_hole.info["transparency"] = bytes(16)
    rgba = colour.copy()
    rgba.putalpha(grey)
    deep = Image.fromarray(ramp.astype(np.uint16) * 256 + 17)
    wide = grey.convert("I")  # a byte in each 32 bits
    dark = Image.fromarray(ramp.astype(np.uint16))  # of 16 bits, though none is above 255
    black = Image.new("L", (32, 32))
    sources = [grey, colour, palette, palette_with_hole, rgba, deep, grey.convert("1"), grey.convert("LA")]
    expected = [grey, colour, palette, palette, colour, grey, grey.convert("1"), grey, grey, black, black]
    pngs = [*map(encode, sources), encode(wide, "TIFF"), encode(dark, "TIFF"), encode(dark, "PPM")]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [0, 1] * 5 + [0])
    write_shard(tmp_path / "d" / "test-0.parquet", pngs[:1], [0])
    data = load(tmp_path / "d", tmp_path)
    for ours, image in zip(data.train_images, expected, strict=True):
        assert np.array_equal(ours.transpose(1, 2, 0), np.asarray(image.convert("RGB")))


def test_images_stand_as_their_exif_says(tmp_path, noise, write_shard):
    image, exif, file = Image.fromarray(noise(1)[0]), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    image.save(file, "PNG", exif=exif)
    write_shard(tmp_path / "d" / "train-0.parquet", [file.getvalue()] * 2, [0, 1])
    write_shard(tmp_path / "d" / "test-0.parquet", [file.getvalue()], [0])
    turned = np.rot90(np.asarray(image), -1).transpose(2, 0, 1)
    assert np.array_equal(load(tmp_path / "d", tmp_path).train_images[0], turned)


def test_images_that_come_out_black_are_refused(tmp_path, encode, write_shard):
    empty = encode(Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32) % 200))
    write_shard(tmp_path / "d" / "train-0.parquet", [empty] * 2, [0, 1])
    write_shard(tmp_path / "d" / "test-0.parquet", [empty], [0])
    with pytest.raises(DataError, match="all training images are black; if they hold values of 8 bits in 16"):
        load(tmp_path / "d", tmp_path)


def test_labels_that_are_secret_or_of_another_type_in_a_later_file_are_named(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(4)]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [0, 1, 1, 0])
    write_shard(tmp_path / "d" / "test-0.parquet", pngs, [-1] * 4)
    with pytest.raises(DataError, match=r"test-0\.parquet: label is -1 in all rows: labels that are kept secret"):
        load(tmp_path / "d", tmp_path)
    table = pq.read_table(tmp_path / "d" / "train-0.parquet")
    halves = table.set_column(table.schema.get_field_index("label"), "label", pa.array([0.5, 1.5, 1.0, 0.0]))
    pq.write_table(halves, tmp_path / "d" / "test-0.parquet")
    with pytest.raises(DataError, match=r"test-0\.parquet: label is double; it must be an integer"):
        load(tmp_path / "d", tmp_path)


@pytest.mark.parametrize("size", [(64, 64), (8, 8), (100, 40), (1, 1)])
def test_any_size_is_resized_to_32_bilinearly_with_antialiasing(tmp_path, encode, write_shard, size):
    import torch
    import torchvision.transforms.v2.functional as reference

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    write_shard(tmp_path / "d" / "train-0.parquet", [encode(image)] * 2, [0, 1])
    write_shard(tmp_path / "d" / "test-0.parquet", [encode(image)], [0])
    ours = torch.from_numpy(np.array(load(tmp_path / "d", tmp_path).train_images[0])).float()
    theirs = reference.resize(reference.pil_to_tensor(image).float(), [32, 32], antialias=True)
    assert (ours - theirs).abs().max() <= 1  # PIL rounds to whole levels after each of the two passes


def test_jpeg_is_read_as_pil_reads_it(tmp_path, noise, encode, write_shard):
    jpeg = encode(Image.fromarray(noise(1)[0]), "JPEG")
    write_shard(tmp_path / "d" / "train-0.parquet", [jpeg] * 2, [0, 1])
    write_shard(tmp_path / "d" / "test-0.parquet", [jpeg], [0])
    expected = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert np.array_equal(load(tmp_path / "d", tmp_path).train_images[0].transpose(1, 2, 0), expected)


def test_a_plain_binary_column_and_a_lone_integer_column_will_do(tmp_path, noise, encode):
    pngs = [encode(Image.fromarray(image)) for image in noise(4)]
    table = pa.table({"png": pa.array(pngs, pa.large_binary()), "digit": pa.array([0, 1, 1, 0], pa.uint8())})
    (tmp_path / "d").mkdir()
    pq.write_table(table, tmp_path / "d" / "train.parquet")
    pq.write_table(table, tmp_path / "d" / "test.parquet")
    data = load(tmp_path / "d", tmp_path)
    assert data.train_labels.tolist() == [0, 1, 1, 0]


def test_a_label_that_is_no_integer_is_not_replaced_by_another_column(tmp_path, noise, encode):
    pngs = [encode(Image.fromarray(image)) for image in noise(2)]
    table = pa.table({"image": pa.array(pngs, pa.binary()), "label": ["cat", "dog"], "id": [7, 8]})
    (tmp_path / "d").mkdir()
    pq.write_table(table, tmp_path / "d" / "train.parquet")
    with pytest.raises(DataError, match=r"no label column; it needs an integer column named label .* label \(string\)"):
        load(tmp_path / "d", tmp_path)


def test_a_class_without_training_images_is_named(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(4)]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [1, 2, 3, 1])
    write_shard(tmp_path / "d" / "test-0.parquet", pngs[:1], [1])
    with pytest.raises(DataError, match=r"label goes up to 3, and no training image has 0; labels count the classes"):
        load(tmp_path / "d", tmp_path)


def test_class_names_come_from_the_hubs_metadata(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(2)]
    features = {"label": {"names": ["cat", "dog", "frog"], "_type": "ClassLabel"}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [0, 1], metadata=metadata)
    write_shard(tmp_path / "d" / "test-0.parquet", pngs, [1, 0], metadata=metadata)
    assert load(tmp_path / "d", tmp_path).class_names == ("cat", "dog", "frog")
    write_shard(tmp_path / "d" / "test-0.parquet", pngs, [1, 3], metadata=metadata)
    with pytest.raises(DataError, match=r"test-0.parquet: row 1: label is 3; .*\[0, 2\]"):
        load(tmp_path / "d", tmp_path)


def test_a_validation_file_stands_in_for_missing_test_files_only(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(3)]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs[:2], [0, 1])
    write_shard(tmp_path / "d" / "validation-0.parquet", pngs[2:], [1])
    assert len(load(tmp_path / "d", tmp_path).test()[1]) == 1
    write_shard(tmp_path / "d" / "test-0.parquet", pngs, [1, 0, 0])
    assert load(tmp_path / "d", tmp_path).test()[1].tolist() == [1, 0, 0]


@pytest.mark.parametrize("as_file", [False, True])
def test_without_test_files_a_stratified_fifth_is_held_out_and_said_so(tmp_path, noise, encode, write_shard, as_file):
    images = noise(50)
    labels = [i % 5 for i in range(50)]
    file = write_shard(tmp_path / "d" / "train-0.parquet", [encode(Image.fromarray(i)) for i in images], labels)
    lines: list[str] = []
    data = load_dataset(
        f"parquet:{file if as_file else file.parent}", cache_dir=tmp_path / "cache", progress=lines.append
    )
    test_images, test_labels = data.test()
    assert np.bincount(test_labels).tolist() == [2] * 5
    assert np.bincount(data.train_labels).tolist() == [8] * 5
    both = np.concatenate([data.train_images, test_images])
    assert {image.tobytes() for image in both} == {image.tobytes() for image in images.transpose(0, 3, 1, 2)}
    assert any("10 of 50 images are held out" in line for line in lines)


def test_a_changed_file_is_read_again(small_parquet, tmp_path, noise, encode, write_shard):
    before = load(small_parquet, tmp_path).fingerprint
    assert load(small_parquet, tmp_path).fingerprint == before
    pngs = [encode(Image.fromarray(image)) for image in noise(20, seed=1)]
    write_shard(small_parquet / "train-00000-of-00001.parquet", pngs, [i % 5 for i in range(20)])
    assert load(small_parquet, tmp_path).fingerprint != before


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "null"])
def test_a_corrupt_image_is_an_error_that_names_file_and_row(tmp_path, noise, encode, write_shard, damage):
    pngs = [encode(Image.fromarray(image)) for image in noise(2000)]
    bad = {"cut": pngs[0][:500], "noise": b"\x00" * 100, "empty": b"", "null": None}[damage]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs[:10], [0, 1] * 5)
    write_shard(tmp_path / "d" / "test-0.parquet", [*pngs[:1500], bad], [0] * 1501)
    with pytest.raises(DataError, match=r"test-0\.parquet: row 1500: "):
        load(tmp_path / "d", tmp_path)
    assert not list((tmp_path / "cache").glob("*/meta.json"))


@pytest.mark.parametrize("label", [-1, None, 10**9])
def test_a_label_that_is_no_class_number_is_an_error_that_names_file_and_row(
    tmp_path, noise, encode, write_shard, label
):
    pngs = [encode(Image.fromarray(image)) for image in noise(3)]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [0, 1, label])
    with pytest.raises(DataError, match=rf"train-0\.parquet: row 2: label is {label}"):
        load(tmp_path / "d", tmp_path)


def test_columns_that_cannot_be_told_apart_are_an_error_that_lists_them(tmp_path, noise, encode, write_shard):
    png = encode(Image.fromarray(noise(1)[0]))
    write_shard(tmp_path / "d" / "train-0.parquet", [png], [0], label="a", b=[1])
    with pytest.raises(DataError, match=r"no label column.*a \(int64\), b \(int64\)"):
        load(tmp_path / "d", tmp_path)
    structs = pa.array([{"bytes": png}] * 10, pa.struct([("bytes", pa.binary())]))
    write_shard(tmp_path / "d" / "train-0.parquet", [png] * 10, [0, 1] * 5, mask=structs)
    with pytest.raises(DataError, match="2 image columns"):
        load(tmp_path / "d", tmp_path)
    pq.write_table(pa.table({"label": [0, 1] * 5}), tmp_path / "d" / "train-0.parquet")
    with pytest.raises(DataError, match="no image columns"):
        load(tmp_path / "d", tmp_path)


def test_a_file_that_is_not_parquet_is_an_error_that_names_it(small_parquet, tmp_path):
    file = small_parquet / "test-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"test-00000-of-00001\.parquet: not a readable parquet file"):
        load(small_parquet, tmp_path)


def test_a_shard_without_the_others_columns_is_an_error(small_parquet, tmp_path):
    pq.write_table(pa.table({"img": [b"x"], "target": [0]}), small_parquet / "test-1.parquet")
    with pytest.raises(DataError, match=r"test-1.parquet: no column label"):
        load(small_parquet, tmp_path)


def test_one_class_is_not_enough(tmp_path, noise, encode, write_shard):
    pngs = [encode(Image.fromarray(image)) for image in noise(5)]
    write_shard(tmp_path / "d" / "train-0.parquet", pngs, [0] * 5)
    with pytest.raises(DataError, match="1 classes, 4 training and 1 test images; at least 2 classes"):
        load(tmp_path / "d", tmp_path)
