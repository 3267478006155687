import numpy as np


def test_all_sixty_thousand_images_are_there_in_balance(real_cifar10):
    test_images, test_labels = real_cifar10.test()
    assert real_cifar10.train_images.shape == (50_000, 3, 32, 32)
    assert test_images.shape == (10_000, 3, 32, 32)
    assert np.bincount(real_cifar10.train_labels).tolist() == [5000] * 10
    assert np.bincount(test_labels).tolist() == [1000] * 10
    assert real_cifar10.num_classes == 10


def test_its_statistics_are_near_the_published_ones(real_cifar10):
    # JPEG moves them a little
    assert np.allclose(real_cifar10.mean, (0.4914, 0.4822, 0.4465), atol=0.001)
    assert np.allclose(real_cifar10.std, (0.2470, 0.2435, 0.2616), atol=0.003)


def test_no_image_is_blank_and_train_and_test_differ(real_cifar10):
    test_images, _ = real_cifar10.test()
    assert (test_images.reshape(10_000, -1).std(axis=1) > 1).all()
    assert not np.array_equal(real_cifar10.train_images[:100], test_images[:100])
